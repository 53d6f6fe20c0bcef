"""Watching the watcher: what shows that the path itself works, and what tells when it does not."""
