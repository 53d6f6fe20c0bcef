"""The whole built together: server, page and command."""
