"""Where HTTP and errors become plain values and answers."""
