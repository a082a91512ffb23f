"""The people to choose from where a local run asks who signs in, with their development keys.

Everybody knows these keys, and no deployment accepts them.
"""

import json
import os

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from infra.local.applications import application
from shared.bootstrap import root as bootstrap
from shared.schemas.notation import sha256
from shared.settings.secrets import DEVELOPMENT

PATH = "/local/people"


def people_application() -> ASGIApp:
    """Returns what answers PATH."""
    return application([Route(PATH, _people)])


async def _people(request: Request) -> Response:
    """Returns the people whose keys are development keys."""
    callers, found = bootstrap.baton().settings.api_keys, []
    for key in json.loads(os.environ["BATON_API_KEYS"]):
        caller = callers.get(sha256(key))
        if caller is not None and caller.person is not None and key.startswith(DEVELOPMENT):
            person = caller.person
            found.append({"name": person.name, "role": person.role.value, "key": key})
    return JSONResponse({"people": found}, headers={"cache-control": "no-store"})
