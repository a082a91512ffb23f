"""Matrix: the registration for a homeserver, and a homeserver to try it with."""
