"""Senders, one file for each channel."""
