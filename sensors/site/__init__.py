"""The site file: its model, its loading with errors a person can mend, its calendar."""
