"""The floor: the words everyone speaks, the decoders, and the hall's state. No I/O."""
