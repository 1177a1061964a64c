"""DUP: settings, overrides, services and list elements that are given more than once."""
