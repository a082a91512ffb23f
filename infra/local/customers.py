"""The customers of all simulated channels in one answer: the page asks for them every second."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from infra.local.applications import application
from infra.local.simulators.simulator import Simulator

PATH = "/local/customers"
CHANNELS = ("business_messages", "rcs", "whatsapp")


def customers_application(platforms: Mapping[str, Simulator]) -> ASGIApp:
    """Returns what answers PATH."""

    async def customers(request: Request) -> Response:
        return JSONResponse({name: platforms[name].customers() for name in CHANNELS})

    return application([Route(PATH, customers)])
