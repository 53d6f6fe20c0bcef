"""Devices, fleets and scenarios that speak the words on the wire."""
