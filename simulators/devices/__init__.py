"""Simulated devices, one file for each family."""
