"""The PostgreSQL engine: tables that several nodes share, on one server or with standbys."""
