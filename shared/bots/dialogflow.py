"""Dialogflow CX: detectIntent over REST.

https://docs.cloud.google.com/dialogflow/cx/docs/reference/rest/v3/projects.locations.agents.sessions/detectIntent
"""

from collections.abc import Callable, Mapping
from dataclasses import field

import pydantic_core
from pydantic import JsonValue, ValidationError

from shared.bots import ujet
from shared.bots.base import Escalation, Question, Reply
from shared.errors import BadRequest
from shared.platforms.bodies import parse_object
from shared.schemas.base import JsonObject
from shared.schemas.content import Content
from shared.schemas.content_rules import first_fault
from shared.schemas.http import Answer, Call
from shared.schemas.languages import best_of
from shared.schemas.notation import sha256
from shared.schemas.texts import first_piece
from shared.values import frozen

SCOPE = "https://www.googleapis.com/auth/dialogflow"
QUERY_LIMIT, SESSION_LIMIT = 256, 36  # characters
ANSWER_LIMIT, MESSAGES = 256 * 1024, 50  # bytes that are stored, messages that are read
UNMATCHED = ("NO_MATCH", "NO_INPUT")
HANDED_OVER = "the virtual agent handed over"


def session_of(conversation: str) -> str:
    """Returns the session id of a conversation. It is always the same, and reveals nothing about
    it.
    """
    return sha256(conversation)[:SESSION_LIMIT]


@frozen
class Dialogflow:
    """`agent` may name an environment. The first of `languages` is used where the customer's
    language is none of them.
    """

    agent: str
    api_url: str
    auth: str = field(default="none", repr=False)
    languages: tuple[str, ...] = ("en",)
    timeout: float = 20.0
    name: str = "dialogflow"
    while_queued: bool = True

    def call(self, question: Question) -> Call:
        text = first_piece(question.text, QUERY_LIMIT)
        whole = {"text": question.text} if text != question.text else {}
        tapped = {"postback": question.postback} if question.postback else {}
        body = {
            "queryInput": {"text": {"text": text}, "languageCode": self._language(question.locale)},
            "queryParams": {"parameters": {"baton": {**question.context, **whole, **tapped}}},
        }
        session = session_of(question.conversation)
        url = f"{self.api_url.rstrip('/')}/v3/{self.agent}/sessions/{session}:detectIntent"
        headers = {"content-type": "application/json"}
        return Call("POST", url, pydantic_core.to_json(body), headers, self.auth, self.timeout)

    def heard(self, answer: Answer) -> JsonObject:
        result = parse_object(answer.body).get("queryResult")
        messages = result.get("responseMessages", []) if isinstance(result, dict) else None
        if not isinstance(result, dict) or not isinstance(messages, list):
            raise BadRequest("schema", "queryResult: has no list of responseMessages.")
        if len(answer.body) > ANSWER_LIMIT:
            raise BadRequest("answer-too-large", f"The answer has more than {ANSWER_LIMIT} bytes.")
        return {"messages": messages, "missed": _missed(result, messages)}

    def reply(self, heard: JsonObject) -> Reply:
        messages = heard.get("messages")
        listed = messages if isinstance(messages, list) else []
        objects = [one for one in listed if isinstance(one, dict)]
        odd = ("responseMessages: none is an object",) if listed and not objects else ()
        cut = (f"responseMessages: more than {MESSAGES}",) if len(objects) > MESSAGES else ()
        start = Reply(refused=(*odd, *cut), missed=heard.get("missed") is True)
        return sum(map(_follows, objects[:MESSAGES]), start).without_repetitions()

    def _language(self, locale: str | None) -> str:
        return best_of(locale, self.languages) or self.languages[0]


def _missed(result: JsonObject, messages: list[JsonValue]) -> bool:
    """Returns whether silence is no answer: the agent matched no intent, one of its webhooks
    failed, or the answer shows no match at all.
    """
    statuses, match = result.get("webhookStatuses"), result.get("match")
    calls = statuses if isinstance(statuses, list) else []
    if any(isinstance(one, dict) and one.get("code") for one in calls):
        return True
    matched = match.get("matchType") if isinstance(match, dict) else None
    return matched in UNMATCHED or (matched is None and not messages)


def _follows(message: JsonObject) -> Reply:
    """Returns the reply in one message. A message has one kind, beside its attributes."""
    kinds = [name for name in message if name not in ABOUT_A_MESSAGE and message[name] is not None]
    return sum((_follows_from(name, message[name]) for name in kinds), Reply())


def _follows_from(kind: str, value: JsonValue) -> Reply:
    if kind not in KINDS:
        return Reply(refused=("responseMessages: a kind that Baton does not know",))
    follows = KINDS[kind]
    if follows is None:
        return Reply()
    return follows(value) if isinstance(value, dict) else Reply(refused=(f"{kind}: is no object",))


def _said(text: JsonObject) -> Reply:
    """Returns the text of a message. An agent without a text here sends none, or an empty one."""
    lines = text.get("text", [])
    if not isinstance(lines, list):
        return Reply(refused=("text: has no list of texts",))
    return Reply(
        contents=tuple(ujet.texts("\n".join(line for line in lines if isinstance(line, str))))
    )


def _custom(payload: JsonObject) -> Reply:
    """Returns the reply in a payload: the CCAI Platform's, or a message in Business Messages
    form.
    """
    if "ujet" in payload:
        return ujet.reply_of(payload["ujet"])
    if not payload:
        return Reply()
    try:
        content = Content.taken(payload)
    except ValidationError:
        return Reply(refused=("payload: neither ujet nor a message in Business Messages form",))
    if content.template is not None:
        return Reply(refused=("payload.template: only a key of the API may send templates",))
    found = first_fault(content)
    return (
        Reply(refused=(f"payload.{found[0]}: {found[1]}",)) if found else Reply(contents=(content,))
    )


def _handoff(handoff: JsonObject) -> Reply:
    """Returns the escalation. In CX a handoff is only a measure, so Baton carries it out."""
    return Reply(escalation=_escalation(handoff))


def _end(_: JsonObject) -> Reply:
    return Reply(ends=True)


def _escalation(handoff: JsonObject) -> Escalation:
    metadata = handoff.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    reason = known.get("reason")
    named = isinstance(reason, str) and bool(reason.strip())
    return Escalation(str(reason) if named else HANDED_OVER, known or None, named)


# Every kind of ResponseMessage and its reader. None where it is speech that repeats the text, where
# it is only a measure, or where it is for a telephone, Dialogflow Messenger or a client program.
KINDS: Mapping[str, Callable[[JsonObject], Reply] | None] = {
    "text": _said,
    "payload": _custom,
    "liveAgentHandoff": _handoff,
    "endInteraction": _end,
    "conversationSuccess": None,
    "outputAudioText": None,
    "playAudio": None,
    "mixedAudio": None,
    "telephonyTransferCall": None,
    "knowledgeInfoCard": None,
    "toolCall": None,
}
ABOUT_A_MESSAGE = ("responseType", "channel")
