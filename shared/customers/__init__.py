"""One customer in several conversations: links, joined channels, and erasing."""
