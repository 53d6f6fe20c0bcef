"""The hall's state machines: the fold of the journal."""
