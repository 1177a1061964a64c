"""RTE: where mail goes: relay hosts, filters, loops, and mail for users that do not exist."""
