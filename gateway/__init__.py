"""The path of one message: MQTT link, pipeline, journal, stores."""
