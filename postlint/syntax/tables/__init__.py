"""Ready-made LALR tables, one module per grammar."""
