"""The embedded engine: a file of SQLite, and one process that writes it."""
