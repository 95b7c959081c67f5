"""Console commands: thin, one file a command."""
