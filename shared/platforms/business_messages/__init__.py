"""Google Business Messages."""
