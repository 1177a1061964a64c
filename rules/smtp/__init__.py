"""SMTP: how the server holds up against the protocol's tricks."""
