"""The command `hallwatch`."""
