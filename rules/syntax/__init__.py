"""SYN: text that Postfix refuses, drops, or takes for something else than it looks like."""
