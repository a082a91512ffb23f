"""Delivery of a conversation's outbox, and the sweep that wakes all conversations that are due."""
