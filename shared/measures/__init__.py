"""What the reports count: definitions, clocks, and counts."""
