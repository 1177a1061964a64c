"""TLS: protocols, ciphers and security levels of servers and clients."""
