"""One try of one command of the outbox, and how its result is recorded."""
