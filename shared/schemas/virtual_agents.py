"""Sessions of a desk's virtual agent, as the CCAI Platform tells of them.

https://docs.cloud.google.com/contact-center/ccai-platform/docs/post-events-for-vtas
"""

from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import Field

from shared.schemas.base import JsonObject, Stored
from shared.schemas.notation import Time
from shared.schemas.variables import Audience, Provenance, TaskVirtualAgent

SESSIONS_LIMIT = 4  # of one conversation
BEGINNING = datetime.min.replace(tzinfo=UTC)
_FAILURES = ("fail", "error")


class VirtualAgentSession(Stored):
    """What is known of one session. Each field has the latest value that an event named.

    - `id`: `chat-<chat_id>` or `call-<call_id>`. `conversation_id` and `session_id` are the ids of
      Dialogflow: the first where the virtual agent has a conversation profile, else the second.
    - `queue_*`: the queue from which the session came. `participant_id`: the virtual agent's.
    - `data_parameters`: the variables that the portal gave to the virtual agent. `audiences` may
      see them.
    - `heard_at`: the time of the latest event, None until it is kept. `provenance`: where that
      event came from.
    """

    id: str
    campaign_id: int | None = None
    campaign_name: str | None = None
    virtual_agent_id: int | None = None
    virtual_agent_name: str | None = None
    participant_id: int | None = None
    queue_id: int | None = None
    queue_path: str | None = None
    queue_language_id: str | None = None
    session_type: str | None = None
    conversation_id: str | None = None
    session_id: str | None = None
    data_parameters: JsonObject = Field(default_factory=dict)
    audiences: tuple[Audience, ...] = ()
    joined_at: Time | None = None
    left_at: Time | None = None
    finish_reason: str | None = None
    heard_at: Time | None = None
    provenance: Provenance

    def dated(self, at: datetime, step: Literal["joined", "left", "captured"]) -> Self:
        """Returns what an event of that time says of the session."""
        times = {"joined": {"joined_at": at}, "left": {"left_at": at}, "captured": {}}
        return self.model_copy(update={**times[step], "heard_at": at})

    def with_news(self, news: Self) -> Self:
        """Returns the session with what another event says of it.

        Where both name a field, a platform's signed event decides over a browser's report, and a
        later event over an earlier one. An event that comes late fills in what is not known.
        """
        weaker, stronger = sorted((self, news), key=lambda one: (one.provenance.signed, _time(one)))
        named = {name: getattr(stronger, name) for name in type(stronger).model_fields}
        update = {name: value for name, value in named.items() if value not in (None, {}, ())}
        return weaker.model_copy(update={**update, "heard_at": max(_time(self), _time(news))})


def tells_failure(finish_reason: str | None) -> bool:
    """Returns whether a virtual agent's session ended because it failed. The platform's page has
    one example, `Task VA failed`, and no list.
    """
    said = (finish_reason or "").casefold()
    return any(word in said for word in _FAILURES)


def session_of(
    task: TaskVirtualAgent, audiences: tuple[Audience, ...], provenance: Provenance
) -> VirtualAgentSession:
    """Returns what an event says of its session, without its time."""
    said = task.model_dump(
        exclude={"chat_id", "call_id", "timestamp", "captured_variables", "unread"},
        exclude_none=True,
    )
    return VirtualAgentSession(**said, id=task.native, audiences=audiences, provenance=provenance)


def with_session(
    known: tuple[VirtualAgentSession, ...], news: VirtualAgentSession
) -> tuple[VirtualAgentSession, ...]:
    """Returns the latest sessions of a conversation, the oldest first, with what an event says of
    one.
    """
    by_id = {one.id: one for one in known}
    before = by_id.get(news.id)
    by_id[news.id] = news if before is None else before.with_news(news)
    return tuple(sorted(by_id.values(), key=_time))[-SESSIONS_LIMIT:]


def _time(session: VirtualAgentSession) -> datetime:
    return session.heard_at or BEGINNING
