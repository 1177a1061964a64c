"""What an installation therefore does: TLS, authentication, relaying per service."""
