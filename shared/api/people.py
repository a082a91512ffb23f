"""Who calls, what a person does now, and what people pass on to each other."""

from shared.api import views
from shared.api.bodies import (
    PAGE_FORM,
    PAGE_ID,
    OfferBody,
    PresenceBody,
    TakeOverBody,
    TransferBody,
)
from shared.api.handlers import Ask, take_verb
from shared.api.keys import is_supervisor, must_answer
from shared.errors import BadRequest, NotFound
from shared.handoff.routing.desk import API_READERS
from shared.people.live import live
from shared.people.presence import renew
from shared.schemas.conversation import Phase
from shared.schemas.events import OfferEnded, TakeOver, Transfer
from shared.schemas.http import Response
from shared.schemas.people import Role


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
    return views.json_response({**known, **views.live_view(seen, person, ask.ports.clock.now())})


def _page(ask: Ask) -> str | None:
    """Returns the page that asks, None for a caller that is none. Raises BadRequest."""
    page = ask.request.query.get("page")
    if page is not None and not PAGE_ID.fullmatch(page):
        raise BadRequest("schema", f"page: {PAGE_FORM}.", field="page")
    return page


async def transfer(ask: Ask) -> Response:
    """Accepts that a human passes the conversation on. Returns the conversation: with the offer to
    the person, or in the queue.
    """
    body = ask.body(TransferBody)
    said = {
        "representative": ask.human(body.representative),
        "person_id": ask.person_id,
        "supervisor": is_supervisor(ask.caller),
        "to_agent": _colleague(ask, body.to.agent) if body.to.agent else None,
        "to_desk": _desk(ask, body.to.desk) if body.to.desk else None,
        "to_queue": body.to.queue is not None,
        "seen_holder": body.from_,
        "reason": body.reason,
        "note": body.note,
    }
    return await take_verb(ask, Transfer.model_validate({**ask.common(body.request_id), **said}))


def _colleague(ask: Ask, given: str) -> str:
    """Returns the id of a person who answers. Raises NotFound, BadRequest."""
    person = ask.ports.people.get(given.lower())
    if person is None or person.role is Role.REPORTS:
        raise NotFound("no-such-agent", "BATON_AGENTS has no such person who answers.")
    if person.id == ask.person_id:
        raise BadRequest("to-yourself", "Name a colleague.", field="to.agent")
    return person.id


def _desk(ask: Ask, given: str) -> str:
    """Raises NotFound."""
    if given != API_READERS.name and ask.ports.policy.desk(given) is None:
        raise NotFound("no-such-desk", "BATON_DESKS has no such desk.")
    return given


async def decline(ask: Ask) -> Response:
    """Accepts that a person does not take what was offered to them."""
    return await _end_offer(ask, "declined")


async def withdraw(ask: Ask) -> Response:
    """Accepts that an offer is taken back."""
    return await _end_offer(ask, "withdrawn")


async def _end_offer(ask: Ask, why: str) -> Response:
    body = ask.body(OfferBody)
    said = {
        "offer": body.offer,
        "by": ask.person_id or ask.caller.name,
        "why": why,
        "supervisor": is_supervisor(ask.caller),
    }
    return await take_verb(ask, OfferEnded.model_validate({**ask.common(body.request_id), **said}))


async def take_over(ask: Ask) -> Response:
    """Accepts that a supervisor takes the conversation from those who are present."""
    body = ask.body(TakeOverBody)
    said = {
        "representative": ask.human(body.representative),
        "person_id": ask.person_id,
        "seen_holder": body.from_,
        "reason": body.reason,
    }
    return await take_verb(ask, TakeOver.model_validate({**ask.common(body.request_id), **said}))


async def update_presence(ask: Ask) -> Response:
    """Keeps whether a person is available, and that their page is open."""
    person, body = must_answer(ask.caller), ask.body(PresenceBody)
    renewed = await renew(ask.ports, person, body.page, body.state)
    return views.json_response(views.presence_view(renewed, person))
