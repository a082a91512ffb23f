"""Slack incoming webhooks, Block Kit. https://docs.slack.dev/reference/block-kit/blocks"""

from dataclasses import dataclass
from typing import Any

import pydantic_core

from shared.schemas.exchange import Call
from shared.schemas.texts import shortened
from shared.teams.base import Briefing, Url

HEADER_LIMIT, TEXT_LIMIT, FACT_LIMIT = 150, 3000, 450


@dataclass(frozen=True, slots=True)
class Slack:
    url: Url
    name: str = "slack"
    dedupes: bool = False

    def call(self, briefing: Briefing) -> Call:
        body = {"text": briefing.headline, "blocks": _blocks(briefing)}
        return Call("POST", self.url.value, pydantic_core.to_json(body), {"content-type": "application/json"})


def _blocks(briefing: Briefing) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(briefing.headline, HEADER_LIMIT)}]
    facts = "\n".join(f"*{name}*  {_fact(value)}" for name, value in briefing.facts.items())
    blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": facts, "verbatim": True}})
    if briefing.lines:
        blocks.append({"type": "section", "text": _plain("\n".join(briefing.lines), TEXT_LIMIT)})
    if briefing.link:
        button = {"type": "button", "text": _plain("Open", 75), "url": briefing.link}
        blocks.append({"type": "actions", "elements": [button]})
    return blocks


def _plain(text: str, limit: int) -> dict[str, Any]:
    """Returns text that Slack shows as it is: nothing that a customer writes becomes markup or a mention."""
    return {"type": "plain_text", "text": shortened(text, limit), "emoji": False}


def _fact(value: str) -> str:
    """Returns it so short, escaped, that all facts stand in one section."""
    return _escaped(shortened(value, FACT_LIMIT, size=lambda text: len(_escaped(text))))


def _escaped(text: str) -> str:
    """Returns one line without markup: https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    text = " ".join(text.split()).translate(str.maketrans("*_~`", "∗ˍ∼ˋ"))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
