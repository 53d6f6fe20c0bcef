"""Alarms, emergency plans, the outbox and tickets."""
