"""State in SQLite, for one machine."""
