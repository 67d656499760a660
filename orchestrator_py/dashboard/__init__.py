"""The live dashboard: an ASGI application over the files of a repository, read-only."""
