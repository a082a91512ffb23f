"""The REST API: Business Messages' paths for bots and desks, and control of conversations."""
