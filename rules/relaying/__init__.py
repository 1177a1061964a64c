"""RLY: who may relay."""
