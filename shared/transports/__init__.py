"""Outbound transports: queues, HTTP, and the clock."""
