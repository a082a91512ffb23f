"""What an agent's browser reports of a virtual agent."""
