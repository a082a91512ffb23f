"""CSKU AI: its webhooks and its desk."""
