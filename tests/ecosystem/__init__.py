"""What the rules say about hundreds of real configurations, against what was last accepted."""
