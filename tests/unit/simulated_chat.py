"""The simulated Google Chat as a Sender. Google's own library judges every call of Baton's, and
every message that the simulated Chat answers or sends.
"""

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.local.simulators.google_chat import Member, SimulatedChat
from shared.platforms.base import Outcome
from shared.platforms.desk import Declined, Made, Passing, Steps
from shared.platforms.google_chat.desk import GoogleChatDesk
from shared.schemas.http import Answer, Call
from tests.vendors.google_chat import judge_call

API = "https://chat.test"
JANE, OMAR = Member("Jane Doe", "jane@example.com", 1), Member("Omar Ali", "omar@example.com", 2)


@dataclass
class ChatSender:
    chat: SimulatedChat = field(default_factory=SimulatedChat)
    calls: list[Call] = field(default_factory=list)

    async def send(self, call: Call) -> Answer | None:
        return self.answer(call)

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        parts = urlsplit(call.url)
        query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        status, body = self.chat.answer(call.method, unquote(parts.path), query, call.body)
        if isinstance(body, bytes):
            return Answer(status, body)
        judge_call(call.method, parts.path, query, call.body, body)
        return Answer(status, json.dumps(body).encode())

    def carry_out(self, desk: GoogleChatDesk, steps: Steps[Made]) -> Made:
        """Makes the calls of a desk. Raises where one fails."""
        try:
            step = next(steps)
            while True:
                assert not isinstance(step, Passing)
                sent = self.answer(step)
                if desk.outcome(sent) is Outcome.PERMANENT:
                    step = steps.throw(Declined(sent))
                else:
                    assert desk.outcome(sent) is Outcome.DONE, sent
                    step = steps.send(sent)
        except StopIteration as end:
            made: Made = end.value
            return made

    def shown(self, thread: str) -> list[str]:
        return [one["text"] for one in self.chat.shown(thread)]
