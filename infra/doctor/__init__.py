"""Examines a running Baton and says what is wrong with it."""
