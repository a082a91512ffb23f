"""Who calls, what a person does now, and what people pass on to each other."""

from shared.api import views
from shared.api.bodies import PAGE_FORM, PAGE_ID, PresenceBody
from shared.api.handlers import Ask
from shared.api.keys import is_supervisor, must_answer
from shared.errors import BadRequest
from shared.people.live import live
from shared.people.presence import renew
from shared.schemas.conversation import Phase
from shared.schemas.http import Response


async def get_me(ask: Ask) -> Response:
    """Returns who calls, and with which rights. With `since` a person gets what they see of their
    work, once it is not what they saw then.
    """
    known, since = views.caller_view(ask.caller), ask.request.query.get("since")
    if since is None:
        return views.json_response(known)
    person = must_answer(ask.caller)
    phases = (Phase.QUEUED, Phase.HUMAN) if is_supervisor(ask.caller) else (Phase.QUEUED,)
    seen = await live(ask.ports, person, _page(ask), [one.value for one in phases], since)
    return views.json_response({**known, **views.live_view(seen, person)})


def _page(ask: Ask) -> str | None:
    """Returns the page that asks, None for a caller that is none. Raises BadRequest."""
    page = ask.request.query.get("page")
    if page is not None and not PAGE_ID.fullmatch(page):
        raise BadRequest("schema", f"page: {PAGE_FORM}.", field="page")
    return page


async def update_presence(ask: Ask) -> Response:
    """Keeps whether a person is available, and that their page is open."""
    person, body = must_answer(ask.caller), ask.body(PresenceBody)
    renewed = await renew(ask.ports, person, body.page, body.state)
    return views.json_response(views.presence_view(renewed, person))
