"""What reports count: definitions, clocks, and counts."""
