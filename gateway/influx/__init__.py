"""History in InfluxDB: shipping and reading back."""
