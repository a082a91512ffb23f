"""Google Chat incoming webhooks, cards. https://developers.google.com/workspace/chat/api/reference/rest/v1/cards"""

from dataclasses import dataclass
from html import escape
from typing import Any

import pydantic_core

from shared.schemas.exchange import Call
from shared.schemas.texts import shortened
from shared.teams.base import Briefing, Url

TEXT_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class GoogleChat:
    url: Url
    name: str = "google-chat"
    dedupes: bool = False

    def call(self, briefing: Briefing) -> Call:
        card = {"header": {"title": briefing.headline}, "sections": _sections(briefing)}
        body = {"text": briefing.headline, "cardsV2": [{"cardId": briefing.notification.id, "card": card}]}
        return Call("POST", self.url.value, pydantic_core.to_json(body), {"content-type": "application/json"})


def _sections(briefing: Briefing) -> list[dict[str, Any]]:
    facts = [
        {"decoratedText": {"topLabel": name, "text": escape(value), "wrapText": True}}
        for name, value in briefing.facts.items()
    ]
    sections: list[dict[str, Any]] = [{"widgets": facts}]
    if briefing.lines:
        text = _html(shortened("\n".join(briefing.lines), TEXT_LIMIT, size=lambda text: len(_html(text))))
        sections.append({"header": "The last words", "widgets": [{"textParagraph": {"text": text}}]})
    if briefing.link:
        button = {"text": "Open", "onClick": {"openLink": {"url": briefing.link}}}
        sections.append({"widgets": [{"buttonList": {"buttons": [button]}}]})
    return sections


def _html(text: str) -> str:
    return escape(text).replace("\n", "<br>")
