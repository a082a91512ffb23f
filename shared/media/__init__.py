"""Files of conversations: fetched from a platform for a reader, kept, and taken for a customer."""
