"""How things leave: to topics, to platforms."""
