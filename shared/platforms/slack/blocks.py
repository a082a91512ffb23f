"""The message from which a thread starts, in Slack's blocks: who needs a person and why, who has
the customer, and the buttons.

https://docs.slack.dev/reference/block-kit/blocks
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.platforms.slack.names import ACTION, ACTIONS, CLOSED, OPEN_PAGE, STANDING
from shared.platforms.threads import LABELS, Act, Request, acts_for, standing_of
from shared.schemas.texts import shortened

HEADER_LIMIT, TEXT_LIMIT, CONTEXT_LIMIT, LABEL_LIMIT, URL_LIMIT = 150, 3000, 2000, 75, 3000
Block = dict[str, Any]
Blocks = list[Block]


def request_blocks(request: Request, page: str | None) -> Blocks:
    """Returns the blocks of a request that nobody has yet. `page` is the link to the desk page."""
    blocks: Blocks = [{"type": "header", "text": _plain(request.headline, HEADER_LIMIT)}]
    if request.facts:
        facts = "\n".join(f"{name}: {value}" for name, value in request.facts.items())
        blocks.append({"type": "section", "text": _plain(facts, TEXT_LIMIT)})
    if request.last_words:
        blocks.append({"type": "section", "text": _plain(f"“{request.last_words}”", TEXT_LIMIT)})
    link = page if page and len(page) <= URL_LIMIT else None
    return [*blocks, *_foot(STANDING, standing_of(()), acts_for(()), link)]


def with_standing(blocks: Sequence[Mapping[str, Any]], people: Sequence[str]) -> Blocks:
    """Returns the blocks as they are once these people have the customer."""
    foot = _foot(STANDING, standing_of(people), acts_for(people), _page_of(blocks))
    return [*_head(blocks), *foot]


def closed(blocks: Sequence[Mapping[str, Any]], words: str) -> Blocks:
    """Returns the blocks as they are once the conversation is over. Nothing can be pressed then
    but the link.
    """
    return [*_head(blocks), *_foot(CLOSED, words, (), _page_of(blocks))]


def is_closed(blocks: Sequence[Mapping[str, Any]]) -> bool:
    return any(block.get("block_id") == CLOSED for block in blocks)


def _foot(block_id: str, words: str, acts: Sequence[Act], page: str | None) -> Blocks:
    """Returns who has the customer, and the buttons."""
    shown: Block = {
        "type": "context",
        "block_id": block_id,
        "elements": [_plain(words, CONTEXT_LIMIT)],
    }
    buttons = [*map(_button, acts), *([_link(page)] if page else [])]
    actions: Block = {"type": "actions", "block_id": ACTIONS, "elements": buttons}
    return [shown, actions] if buttons else [shown]


def _button(act: Act) -> Block:
    button: Block = {
        "type": "button",
        "action_id": f"{ACTION}{act}",
        "text": _plain(LABELS[act], LABEL_LIMIT),
    }
    if act is Act.CLAIM:
        return {**button, "style": "primary"}
    return {**button, "confirm": _CONFIRM} if act is Act.UNAVAILABLE else button


def _link(page: str) -> Block:
    text = _plain("Open the desk page", LABEL_LIMIT)
    return {"type": "button", "action_id": OPEN_PAGE, "text": text, "url": page}


def _head(blocks: Sequence[Mapping[str, Any]]) -> Blocks:
    foot = (STANDING, CLOSED, ACTIONS)
    return [dict(block) for block in blocks if block.get("block_id") not in foot]


def _page_of(blocks: Sequence[Mapping[str, Any]]) -> str | None:
    """Returns the link to the desk page that the blocks have."""
    buttons = [
        one
        for block in blocks
        if block.get("block_id") == ACTIONS
        for one in block.get("elements", ())
    ]
    return next((one["url"] for one in buttons if one.get("action_id") == OPEN_PAGE), None)


def _plain(text: str, limit: int) -> Block:
    """Returns a plain text object, in which nothing is markup or a mention."""
    return {"type": "plain_text", "text": shortened(text, limit), "emoji": False}


# https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
_CONFIRM: Block = {
    "title": _plain("Nobody available?", 100),
    "text": _plain("The customer is told that nobody can answer now.", 300),
    "confirm": _plain("Yes", 30),
    "deny": _plain("Cancel", 30),
}
