"""What a device or a file says, for a terminal: it must not steer it."""


def plain(text: str) -> str:
    """Text without control characters: each is a dot."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)
