"""The call that notifies a team, with the context that people want before they join."""

from shared.errors import Unavailable
from shared.handoff.said import was_said
from shared.handoff.visibility import Linked, file_links, plain_text_for
from shared.outbox.files import linked_by
from shared.platforms.bodies import validate
from shared.ports import Ports
from shared.schemas.commands import TellTeam
from shared.schemas.http import Call
from shared.schemas.journal import JournalEntry
from shared.schemas.notifications import Notification
from shared.schemas.team import Briefing, Target
from shared.schemas.texts import shortened
from shared.schemas.variables import Audience

LAST_LINES, LOOK_BACK = 6, 40  # entries of the journal, most of which are no messages
LINE_LIMIT = 300


async def team_call(ports: Ports, command: TellTeam) -> tuple[Target, Call]:
    """Returns the target and the call. Raises Unavailable, also while no such target is configured:
    the command waits.
    """
    target = ports.team.named(command.to)
    if target is None:
        raise Unavailable("no-such-target", "The settings name no such target of the team's.")
    return target, target.call(await _briefing(ports, validate(Notification, command.body)))


async def _briefing(ports: Ports, told: Notification) -> Briefing:
    """Returns the notification with its context. The last messages are read now, so a late
    notification shows the present state.
    """
    snapshot = await ports.store.load(told.conversation)
    known = snapshot.value if snapshot else None
    erased = known.erasing.upto if known and known.erasing else -1
    latest = [one.value for one in await ports.store.latest(told.conversation, LOOK_BACK)]
    links = linked_by(ports)
    said = [
        _line(entry, links) for entry in reversed(latest) if was_said(entry) and entry.seq > erased
    ]
    customer, link = known.customer_name if known else None, ports.team.link(told.conversation)
    return Briefing(told, ports.clock.now(), customer, tuple(said[-LAST_LINES:]), link)


def _line(entry: JournalEntry, linked: Linked | None) -> str:
    """Returns a message as agents may read it. A limit cuts its words, and none of its links."""
    who = entry.representative.name if entry.representative else "Customer"
    words = shortened(plain_text_for(Audience.AGENT, entry) or "", LINE_LIMIT)
    return " ".join([f"{who}: {words}", *file_links(Audience.AGENT, entry, linked)])
