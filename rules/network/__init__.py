"""NET: which networks, names and interfaces the installation takes for its own."""
