"""Google Chat incoming webhooks with cards.

https://developers.google.com/workspace/chat/api/reference/rest/v1/cards
"""

import re
from html import escape
from typing import Any

import pydantic_core

from shared.schemas.http import Answer, Call
from shared.schemas.team import Briefing, Url
from shared.schemas.texts import shortened
from shared.values import frozen

TEXT_LIMIT = 600  # characters of one line


@frozen
class GoogleChat:
    """A Target. A repeated message is shown again, so it does not dedupe."""

    url: Url
    name: str = "google-chat"
    dedupes: bool = False

    def call(self, briefing: Briefing) -> Call:
        """Returns the call that posts the card."""
        card = {"header": {"title": briefing.headline}, "sections": _sections(briefing)}
        body = {
            "text": briefing.headline,
            "cardsV2": [{"cardId": briefing.notification.id, "card": card}],
        }
        return Call(
            "POST",
            self.url.value,
            pydantic_core.to_json(body),
            {"content-type": "application/json"},
        )

    def fault(self, answer: Answer) -> str | None:
        """Returns `error.status` of the answer.

        https://docs.cloud.google.com/apis/design/errors
        """
        try:
            named = pydantic_core.from_json(answer.body)["error"]["status"]
        except (ValueError, KeyError, TypeError, IndexError):
            return None
        return named if isinstance(named, str) and re.fullmatch("[A-Z_]{1,60}", named) else None


def _sections(briefing: Briefing) -> list[dict[str, Any]]:
    facts = [
        {"decoratedText": {"topLabel": name, "text": _plain(value), "wrapText": True}}
        for name, value in briefing.facts.items()
    ]
    sections: list[dict[str, Any]] = [{"widgets": facts}]
    if briefing.lines:
        text = "<br>".join(map(_plain, briefing.lines))
        sections.append(
            {"header": "The last words", "widgets": [{"textParagraph": {"text": text}}]}
        )
    if briefing.link:
        button = {"text": "Open", "onClick": {"openLink": {"url": briefing.link}}}
        sections.append({"widgets": [{"buttonList": {"buttons": [button]}}]})
    return sections


def _plain(text: str) -> str:
    """Returns text without markup. It is cut before it is escaped, so that no entity is cut."""
    return _escaped(shortened(text, TEXT_LIMIT, size=lambda one: len(_escaped(one))))


def _escaped(text: str) -> str:
    return escape(text, quote=False)
