"""CCAI Platform: its webhooks and its desk."""
