"""One event, one commit: webhooks and requests become changes of a conversation."""
