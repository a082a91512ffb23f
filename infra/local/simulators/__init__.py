"""The platforms, desks and services that a local run simulates."""
