"""The composition root: from the environment to ports, and the registries of what Baton knows."""
