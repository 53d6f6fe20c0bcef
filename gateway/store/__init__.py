"""The operations store and the default history."""
