"""Dialogflow CX: detectIntent over REST.

https://docs.cloud.google.com/dialogflow/cx/docs/reference/rest/v3/projects.locations.agents.sessions/detectIntent
"""

from dataclasses import dataclass, field

import pydantic_core
from pydantic import JsonValue, ValidationError

from shared.bots import ujet
from shared.bots.base import Escalation, Question, Reply
from shared.errors import BadRequest
from shared.platforms.base import parse_object
from shared.schemas.base import JsonObject
from shared.schemas.content import Content, split_text
from shared.schemas.content_rules import first_fault
from shared.schemas.exchange import Answer, Call
from shared.schemas.ids import sha256

SCOPE = "https://www.googleapis.com/auth/dialogflow"
QUERY_LIMIT, SESSION_LIMIT = 256, 36  # characters
ANSWER_LIMIT, MESSAGES = 256 * 1024, 50  # bytes that are kept, messages that are read
HANDED_OVER = "the virtual agent handed over"


def session_of(conversation: str) -> str:
    """Returns the session id of a conversation: the same for ever, and telling nothing of it."""
    return sha256(conversation)[:SESSION_LIMIT]


@dataclass(frozen=True, slots=True)
class Dialogflow:
    """`agent` may name an environment; the first of `languages` is asked where the customer's is none of them."""

    agent: str
    api_url: str
    auth: str = field(default="none", repr=False)
    languages: tuple[str, ...] = ("en",)
    timeout: float = 20.0
    name: str = "dialogflow"
    while_queued: bool = True

    def call(self, question: Question) -> Call:
        text = split_text(question.text, QUERY_LIMIT)[0]
        whole = {"text": question.text} if text != question.text else {}
        tapped = {"postback": question.postback} if question.postback else {}
        body = {
            "queryInput": {"text": {"text": text}, "languageCode": self._language(question.locale)},
            "queryParams": {"parameters": {"baton": {**question.context, **whole, **tapped}}},
        }
        url = f"{self.api_url.rstrip('/')}/v3/{self.agent}/sessions/{session_of(question.conversation)}:detectIntent"
        headers = {"content-type": "application/json"}
        return Call("POST", url, pydantic_core.to_json(body), headers, self.auth, self.timeout)

    def heard(self, answer: Answer) -> JsonObject:
        result = parse_object(answer.body).get("queryResult")
        messages = result.get("responseMessages", []) if isinstance(result, dict) else None
        if not isinstance(messages, list):
            raise BadRequest("schema", "queryResult: has no list of responseMessages.")
        if len(answer.body) > ANSWER_LIMIT:
            raise BadRequest("answer-too-large", f"The answer has more than {ANSWER_LIMIT} bytes.")
        return {"messages": messages}

    def reply(self, heard: JsonObject) -> Reply:
        messages = heard.get("messages")
        objects = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
        cut = () if len(objects) <= MESSAGES else (f"responseMessages: more than {MESSAGES}",)
        return sum(map(_follows, objects[:MESSAGES]), Reply(refused=cut)).without_repetitions()

    def _language(self, locale: str | None) -> str:
        """Returns the agent's language that fits best: the very one, else another of the same tongue."""
        wanted = (locale or "").lower().replace("_", "-")
        same = [one for one in self.languages if one.lower() == wanted]
        akin = [one for one in self.languages if one.lower().partition("-")[0] == wanted.partition("-")[0]]
        return next(iter((*same, *akin, self.languages[0])))


def _follows(message: JsonObject) -> Reply:
    """A handoff, in CX, only measures: it is ours to carry out. What is for the ear, and endings, are passed by."""
    if isinstance(message.get("text"), dict):
        return _said(message["text"])
    if isinstance(message.get("payload"), dict):
        return _custom(message["payload"])
    if isinstance(message.get("liveAgentHandoff"), dict):
        return Reply(escalation=_escalation(message["liveAgentHandoff"]))
    return Reply(ends="endInteraction" in message)


def _said(text: JsonValue) -> Reply:
    lines = text.get("text") if isinstance(text, dict) else None
    if not isinstance(lines, list):
        return Reply(refused=("text: has no list of texts",))
    return Reply(contents=tuple(ujet.texts("\n".join(line for line in lines if isinstance(line, str)))))


def _custom(payload: JsonValue) -> Reply:
    """A payload is the CCAI Platform's, or a message in Business Messages form."""
    if isinstance(payload, dict) and "ujet" in payload:
        return ujet.reply_of(payload["ujet"])
    try:
        content = Content.model_validate(payload)
    except ValidationError:
        return Reply(refused=("payload: neither ujet nor a message in Business Messages form",))
    found = first_fault(content)
    return Reply(refused=(f"payload.{found[0]}: {found[1]}",)) if found else Reply(contents=(content,))


def _escalation(handoff: JsonValue) -> Escalation:
    metadata = handoff.get("metadata") if isinstance(handoff, dict) else None
    known = metadata if isinstance(metadata, dict) else {}
    reason = known.get("reason")
    named = isinstance(reason, str) and bool(reason.strip())
    return Escalation(str(reason) if named else HANDED_OVER, known or None, named)
