"""Bytes to readings, one file for each device family."""
