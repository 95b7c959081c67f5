"""The register's state: what it holds, what a reader sees of it, and how entries change it."""
