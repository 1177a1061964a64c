"""Benchmarks: ratios measured in one run on one machine, each with a budget."""
