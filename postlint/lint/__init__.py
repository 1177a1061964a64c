"""Rules, findings and the runner that brings them together."""
