"""The version of postlint."""

VERSION = "0.1.0"
