"""What `hallwatch doctor` looks at besides the store: all that a site file names. Nothing that it changes lasts."""
