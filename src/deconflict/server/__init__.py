"""The service: the ASGI application, and the coordinator that decides and commits."""
