"""The composition root: from the environment to ports, and the registries of what Baton knows."""

import os

from shared.bootstrap.garbage import no_garbage

# To look for plug-ins, pydantic reads a file of every package that is installed: 8 ms of a start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
with no_garbage():
    from shared.bootstrap import root

__all__ = ["root"]
