"""Reports of an agent's browser about a virtual agent."""
