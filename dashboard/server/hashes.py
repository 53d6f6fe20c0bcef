"""What the store keeps of a token."""

import hashlib


def digest(token: str) -> str:
    """Its hash; a token is random and long, so a fast one suffices."""
    return hashlib.sha256(token.encode()).hexdigest()
