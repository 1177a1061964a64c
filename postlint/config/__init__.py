"""What an installation says: instances, settings with their origin, services, scopes."""
