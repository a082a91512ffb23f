"""The parts of the documents that are printed from the code."""
