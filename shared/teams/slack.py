"""Slack incoming webhooks with Block Kit.

https://docs.slack.dev/reference/block-kit/blocks
"""

import re
from typing import Any

import pydantic_core

from shared.schemas.http import Answer, Call
from shared.schemas.team import Briefing, Url
from shared.schemas.texts import shortened
from shared.values import frozen

HEADER_LIMIT, TEXT_LIMIT, URL_LIMIT = 150, 3000, 3000
FACT_LIMIT = 450  # characters; all facts then fit into one block


@frozen
class Slack:
    """A Target. A repeated message is shown again, so it does not dedupe."""

    url: Url
    name: str = "slack"
    dedupes: bool = False

    def call(self, briefing: Briefing) -> Call:
        """Returns the call that posts the blocks."""
        body = {"text": briefing.headline, "blocks": _blocks(briefing)}
        return Call(
            "POST",
            self.url.value,
            pydantic_core.to_json(body),
            {"content-type": "application/json"},
        )

    def fault(self, answer: Answer) -> str | None:
        """Returns the error code of the answer, which is its plain-text body.

        https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks
        """
        named = re.fullmatch(rb"[a-z_]{1,60}", answer.body.strip())
        return named[0].decode() if named else None


def _blocks(briefing: Briefing) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(briefing.headline, HEADER_LIMIT)}
    ]
    facts = "\n".join(
        f"{name}: {shortened(' '.join(value.split()), FACT_LIMIT)}"
        for name, value in briefing.facts.items()
    )
    blocks.append({"type": "section", "text": _plain(facts, TEXT_LIMIT)})
    if briefing.lines:
        blocks.append({"type": "section", "text": _plain("\n".join(briefing.lines), TEXT_LIMIT)})
    if briefing.link and len(briefing.link) <= URL_LIMIT:
        button = {"type": "button", "text": _plain("Open", 75), "url": briefing.link}
        blocks.append({"type": "actions", "elements": [button]})
    return blocks


def _plain(text: str, limit: int) -> dict[str, Any]:
    """Returns a plain text object, in which nothing is markup or a mention and ids can be copied.

    `mrkdwn` is not used, because it has no escape for its own marks (`_`, `*`, `~`).
    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return {"type": "plain_text", "text": shortened(text, limit), "emoji": False}
