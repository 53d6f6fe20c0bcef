"""MQTT sessions with acknowledgement by hand."""
