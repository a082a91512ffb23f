"""Tells the team: every target once per notification, however often the topic redelivers it.

    (absent) ── create ──> in-flight ──> sent
                   ^           ├──────> failed    a definite failure: the next delivery tries again
                   │           └──────> unknown   no answer, or a crash: told again only where a target can dedupe
                   └── failed <─┘

The state is the journal entry `notify:<notification>:<target>`, written before the call and after it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.errors import BatonError, MethodNotAllowed, NotYet
from shared.handoff.visibility import words_for
from shared.logs import log
from shared.platforms.base import Outcome, outcome_of_status, validate
from shared.ports import Commit, Ports, PreconditionFailed, Snapshot
from shared.schemas.base import JsonObject
from shared.schemas.exchange import Answer, Request, Response
from shared.schemas.journal import JournalEntry, Notified, Verdict
from shared.schemas.notifications import MEASURED, Notification
from shared.schemas.variables import Audience
from shared.services.wake_ups import pushed_body
from shared.teams.base import Briefing, Target

IN_FLIGHT = timedelta(seconds=20)  # the HTTP timeout and 10 s
LAST_LINES = 6
LINE_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Team:
    """Who is told, and the page on which people look (`{conversation}` in its address is filled in)."""

    targets: Sequence[Target] = ()
    console_url: str | None = None


async def notify_handoff(ports: Ports, team: Team, request: Request) -> Response:
    """Returns 200 once every target is told or beyond telling. Raises BadRequest, NotYet so that it comes again."""
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    told = await take(ports, team, pushed_body(request))
    if told is None:
        return Response(body=b"{}", notes={"type": MEASURED})
    return Response(
        body=b"{}", notes={"conversation": told.conversation, "type": told.type, "waited_seconds": told.waited_seconds}
    )


async def take(ports: Ports, team: Team, body: JsonObject) -> Notification | None:
    """Returns what the team was told of, None for what is nothing to them. Raises BadRequest, NotYet."""
    if is_measured(body):
        return None
    told = validate(Notification, body)
    await notify(ports, team, told)
    return told


def is_measured(body: JsonObject) -> bool:
    """Returns whether this is for reports, which is nothing to tell a team."""
    return body.get("type") == MEASURED


async def notify(ports: Ports, team: Team, told: Notification) -> None:
    """Tells every target that was not told yet, none waiting for another. Raises NotYet where one must come again."""
    if not team.targets:
        return
    briefing = await _briefing(ports, team, told)
    settled = await asyncio.gather(*(_tell(ports, target, briefing) for target in team.targets))
    if not all(settled):
        raise NotYet(told.conversation)


async def _briefing(ports: Ports, team: Team, told: Notification) -> Briefing:
    snapshot = await ports.store.load(told.conversation)
    latest = await ports.store.latest(told.conversation, LAST_LINES * 3)
    said = [line for entry in reversed(latest) if (line := _line(entry.value))]
    customer = snapshot.value.customer_name if snapshot else None
    link = team.console_url.replace("{conversation}", told.conversation) if team.console_url else None
    return Briefing(told, ports.clock.now(), customer, tuple(said[-LAST_LINES:]), link)


def _line(entry: JournalEntry) -> str | None:
    """Returns words that were said, as the human agents may read them who are asked to come."""
    said = words_for(Audience.AGENT, entry)
    if said is None or entry.verdict is Verdict.REFUSED:
        return None
    who = entry.representative.name if entry.representative else "Customer"
    return f"{who}: {said[:LINE_LIMIT]}"


async def _tell(ports: Ports, target: Target, briefing: Briefing) -> bool:
    """Returns whether this target needs no further delivery; where another instance was faster, the next one sees."""
    known = await ports.store.entry(briefing.notification.conversation, _entry_id(target, briefing))
    try:
        mine = await _begin(ports, target, briefing, known)
        if mine is None:
            return known is not None and _is_settled(known.value)
        return await _finish(ports, target, mine, await _call(ports, target, briefing))
    except PreconditionFailed:
        return False


async def _begin(
    ports: Ports, target: Target, briefing: Briefing, known: Snapshot[JournalEntry] | None
) -> Snapshot[JournalEntry] | None:
    """Returns the entry that makes the telling ours, None where there is nothing to tell or somebody tells it now."""
    now = ports.clock.now()
    if known is None:
        entry = _entry(target, briefing, ports)
        await ports.store.commit(Commit([entry]))
        return await ports.store.entry(entry.conversation, entry.id)
    before = known.value.notified
    if before is None or before.state in ("sent", "unknown") or (before.until and before.until > now):
        return None
    if before.state == "in-flight" and not target.dedupes:
        await _record(ports, known, before.model_copy(update={"state": "unknown", "until": None}))
        return None
    flying = before.model_copy(update={"state": "in-flight", "until": now + IN_FLIGHT})
    return await _record(ports, known, flying)


async def _call(ports: Ports, target: Target, briefing: Briefing) -> Answer | BatonError | None:
    try:
        return await ports.sender.send(target.call(briefing))
    except BatonError as error:
        return error


async def _finish(
    ports: Ports, target: Target, mine: Snapshot[JournalEntry], answer: Answer | BatonError | None
) -> bool:
    before = mine.value.notified
    if before is None:
        return True
    after = before.model_copy(update={"until": None, "attempts": before.attempts + 1, **_result(target, answer)})
    await _record(ports, mine, after)
    if after.state != "sent":
        log(
            "ERROR",
            "the team was not told",
            conversation=mine.value.conversation,
            target=target.name,
            state=after.state,
            reason=after.error,
        )
    return after.state != "failed"


def _result(target: Target, answer: Answer | BatonError | None) -> dict[str, str | None]:
    if answer is None:
        return {"state": "failed" if target.dedupes else "unknown", "error": "no answer"}
    if isinstance(answer, BatonError):
        return {"state": "failed", "error": answer.reason}
    if outcome_of_status(answer.status) is Outcome.DONE:
        return {"state": "sent", "error": None}
    return {"state": "failed", "error": f"HTTP {answer.status}"}


async def _record(ports: Ports, entry: Snapshot[JournalEntry], notified: Notified) -> Snapshot[JournalEntry]:
    return await ports.store.update(Snapshot(entry.value.model_copy(update={"notified": notified}), entry.token))


def _is_settled(entry: JournalEntry) -> bool:
    return entry.notified is None or entry.notified.state in ("sent", "unknown")


def _entry_id(target: Target, briefing: Briefing) -> str:
    return f"notify:{briefing.notification.id}:{target.name}"


def _entry(target: Target, briefing: Briefing, ports: Ports) -> JournalEntry:
    told, now = briefing.notification, ports.clock.now()
    return JournalEntry(
        id=_entry_id(target, briefing),
        conversation=told.conversation,
        seq=0,
        time=now,
        kind="notify",
        source=told.conversation,
        actor=f"team:{target.name}",
        reason=told.type,
        verdict=Verdict.ACCEPTED,
        nonce=told.id,
        notified=Notified(target=target.name, state="in-flight", until=now + IN_FLIGHT),
    )
