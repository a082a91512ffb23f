"""Reports of an agent's browser about a virtual agent, as events: with their provenance, and never
as a platform's fact.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from shared.errors import BadRequest
from shared.handoff.visibility import Projection, captured
from shared.platforms.bodies import validate
from shared.ports import Ports
from shared.schemas.base import JsonObject, Theirs
from shared.schemas.events import Event, VariablesCaptured, VirtualAgentJoined, VirtualAgentLeft
from shared.schemas.notation import Time, conversation_id, sha256, time_or_none
from shared.schemas.variables import Audience, Provenance, TaskVirtualAgent, Variable
from shared.schemas.virtual_agents import session_of, tells_failure
from shared.values import frozen

ORIGIN_LIMIT = 255  # characters


def _origin(given: object) -> str | None:
    """Returns the origin to note, None for one that is too long or no text. Nothing depends on
    it.
    """
    return given if isinstance(given, str) and len(given) <= ORIGIN_LIMIT else None


class Reported(Theirs):
    """One event as the bridge posts it. Its id holds no colon, so `<agent>:<id>` is unique to the
    agent.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.~-]{1,128}$")]
    type: str
    seen_at: Annotated[Time | None, BeforeValidator(time_or_none), Field(alias="seen_at")] = None
    origin: Annotated[str | None, BeforeValidator(_origin)] = None
    data: JsonObject


@frozen
class BrowserReport:
    """A report of `agent` that the adapter posted. `source` is the conversation that it is
    about.
    """

    agent: str
    reported: Reported
    task: TaskVirtualAgent
    source: str

    @property
    def common(self) -> Mapping[str, Any]:
        """The fields that all its events share: one id per agent and report, and one per content,
        whichever agent reports it.
        """
        said = json.dumps([self.reported.type, self.reported.data], sort_keys=True)
        return {
            "id": f"{self.agent}:{self.reported.id}",
            "also": (f"content:{sha256(said)}",),
            "source": self.source,
            "address": self.task.native,
            "actor": f"browser:{self.agent}",
            "occurred_at": self.task.timestamp,
        }


async def report_of(ports: Ports, agent: str, given: object) -> BrowserReport:
    """Returns the report in one element of the body. Raises BadRequest, which names no value."""
    reported = validate(Reported, given)
    if reported.type not in _KINDS:
        raise BadRequest("unknown-type", f"type: expected {', '.join(_KINDS)}.", field="type")
    task = validate(TaskVirtualAgent, reported.data)
    if (
        task.unread
        and not task.captured_variables
        and _KINDS[reported.type] == (VariablesCaptured,)
    ):
        first = task.unread[0]
        raise BadRequest("schema", f"{first.field}: {first.expected}.", field=first.field)
    return BrowserReport(agent, reported, task, await _source(ports, task))


async def _source(ports: Ports, task: TaskVirtualAgent) -> str:
    """Returns the conversation that the report is about: the session's own, else that of its
    Dialogflow conversation where this is known.
    """
    own = conversation_id("ccai", task.native)
    if not task.conversation_id or await ports.store.load(own) is not None:
        return own
    dialogflow = conversation_id("dialogflow", task.conversation_id)
    return own if await ports.store.load(dialogflow) is None else dialogflow


def events_of(
    report: BrowserReport, audiences: tuple[Audience, ...], now: datetime, *, tells_failures: bool
) -> list[Event]:
    """Returns the events of a report: that the virtual agent joined or left, and the variables that
    it captured. With `tells_failures` the team is notified if it left because it failed.
    """
    task, kinds, events = report.task, _KINDS[report.reported.type], list[Event]()
    session = session_of(task, audiences, _provenance(report))
    common = {**report.common, "session": session}
    who = {**common, "name": task.virtual_agent_name, "reason": task.finish_reason}
    for kind in kinds:
        if kind is VirtualAgentJoined:
            events.append(VirtualAgentJoined(**who))
        elif kind is VirtualAgentLeft:
            failed = tells_failures and tells_failure(task.finish_reason)
            events.append(VirtualAgentLeft(**who, failed=failed))
        elif (variables := _variables(report, audiences, now)) or len(kinds) == 1:
            events.append(VariablesCaptured(**common, variables=variables))
    return events


def _provenance(report: BrowserReport) -> Provenance:
    reported = report.reported
    return Provenance(
        signed=False, agent=report.agent, origin=reported.origin, seen_at=reported.seen_at
    )


def _variables(
    report: BrowserReport, audiences: tuple[Audience, ...], now: datetime
) -> tuple[Variable, ...]:
    """Returns the captured variables. The platform's own filter for events let them pass, so by
    default only that audience gets them.
    """
    task, provenance = report.task, _provenance(report)
    return tuple(
        variable
        for capture in task.captured_variables
        for variable in captured(
            capture.variables,
            Projection(dict.fromkeys(audiences, capture.variables)),
            capture.captured_at or capture.timestamp or task.timestamp or now,
            provenance,
        )
    )


_KINDS: Mapping[str, tuple[type[Event], ...]] = {
    "Task_VA_Joined": (VirtualAgentJoined,),
    "Task_VA_Left": (VirtualAgentLeft, VariablesCaptured),
    "Task_VA_Variables_Received": (VariablesCaptured,),
}
