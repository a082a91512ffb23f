"""What each effect of the table does."""
