"""Google Chat: its events and its desk."""
