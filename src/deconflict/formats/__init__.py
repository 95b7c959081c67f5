"""File formats: bytes to entities and back; no sockets, no clock."""
