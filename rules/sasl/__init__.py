"""SASL: logins of clients, and of this host at other servers."""
