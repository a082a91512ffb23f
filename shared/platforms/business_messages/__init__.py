"""Google Business Messages' form."""
