"""Checks a running Baton and reports faults."""
