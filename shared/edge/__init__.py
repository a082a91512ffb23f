"""The HTTP edge: turns requests into plain values, and results and errors into HTTP answers."""
