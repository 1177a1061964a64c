"""POL: TLS policy tables."""
