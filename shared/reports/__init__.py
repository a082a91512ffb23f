"""Reports: figures from counts, their tables, and recounting from the journal."""
