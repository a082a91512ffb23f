"""What the process has imported from which tests/forked.py forks: what is beneath Baton's programs,
none of the programs.
"""

# ruff: noqa: F401  # it is the import that counts

import gc
import importlib
import pkgutil
from collections.abc import Iterator

import functions_framework._cli
import functions_framework._http.gunicorn
import uvicorn.lifespan.on
import uvicorn.loops.uvloop
import uvicorn_worker  # type: ignore[import-untyped]  # it has no types
from pydantic import BaseModel

import infra.deploy.deploy
import infra.doctor.doctor
import infra.export.export
import infra.local.app
import infra.local.hold
import infra.local.protocol
import shared


def _known(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Returns all models that were made of a model."""
    for one in model.__subclasses__():
        yield one
        yield from _known(one)


# What Baton puts off to its first use, it would do again in each process that is forked.
for module in pkgutil.walk_packages(shared.__path__, "shared."):
    importlib.import_module(module.name)
for model in _known(BaseModel):
    model.model_rebuild()

# As in tests/conftest.py: what is forked looks seldom for cycles, and not among what is imported.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 50)
