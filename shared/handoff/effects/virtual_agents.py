"""What the effects about a desk's virtual agent do: keep what is known of its session, and publish
that it joined or left.
"""

from shared.handoff.draft import Draft
from shared.handoff.visibility import session_for
from shared.schemas.commands import Publish
from shared.schemas.events import OfVirtualAgent
from shared.schemas.notifications import VARIABLES, VariablesBody
from shared.schemas.variables import Audience
from shared.schemas.virtual_agents import VirtualAgentSession, with_session


def keep(draft: Draft) -> None:
    session = _dated(draft)
    if session is not None:
        sessions = with_session(draft.conversation.virtual_agent_sessions, session)
        draft.change(virtual_agent_sessions=sessions)


def publish(draft: Draft) -> None:
    session = _dated(draft)
    if session is None:
        return
    body = VariablesBody(
        id=draft.next_id(),
        type="left" if session.left_at else "joined",
        conversation=draft.conversation.id,
        time=draft.now,
        session=session_for(Audience.EVENT, session, draft.conversation.variables),
        provenance=session.provenance,
    )
    command = Publish(id=body.id, topic=VARIABLES, body=body.model_dump(mode="json", by_alias=True))
    draft.emit(command)


def _dated(draft: Draft) -> VirtualAgentSession | None:
    """Returns what the event says of its session, None if it names none."""
    event = draft.event
    if not isinstance(event, OfVirtualAgent) or event.session is None:
        return None
    return event.session.dated(event.occurred_at or draft.now, event.step)
