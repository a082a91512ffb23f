"""Slack: its events, and a desk whose chats are threads of a channel."""
