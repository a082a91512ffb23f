"""Working a conversation's outbox, and waking every conversation that is due."""
