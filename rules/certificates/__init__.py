"""CRT: certificates, keys and Diffie-Hellman parameters."""
