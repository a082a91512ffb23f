"""Matrix: a desk whose people answer in rooms, with any Matrix client."""
