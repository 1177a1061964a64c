"""OPS: settings for tests left on, limits, and what becomes of bounces and mailboxes."""
