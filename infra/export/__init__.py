"""Exports transcripts, masked if asked for."""
