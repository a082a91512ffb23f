"""Which desk gets a handoff, and when it is open."""
