"""The composition root: from the environment to ports, and the registries of what Baton knows."""

import gc

gc.disable()  # otherwise it looks in vain for garbage among classes that stay
try:
    from shared.bootstrap import root
finally:
    gc.enable()

__all__ = ["root"]
