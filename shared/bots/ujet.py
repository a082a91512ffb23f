"""The custom payload `ujet` of the CCAI Platform, with which a Dialogflow agent shows, captures and
escalates.

https://docs.cloud.google.com/contact-center/ccai-platform/docs/va-custom-payload

https://docs.cloud.google.com/contact-center/ccai-platform/docs/virtual-agent-to-human-agent-transfers
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, StrictStr, ValidationError

from shared.bots.base import Escalation, Reply
from shared.schemas.base import JsonObject
from shared.schemas.content import (
    CHIP_TEXT,
    SUGGESTIONS,
    TEXT_LIMIT,
    Content,
    ContentInfo,
    Image,
    Suggestion,
    Tap,
)
from shared.schemas.content_rules import is_address
from shared.schemas.texts import shortened, split_text
from shared.schemas.variables import Action, SessionVariable, Snake

REASONS = {
    "by_consumer": "the customer asked for a person",
    "by_virtual_agent": "the virtual agent handed over",
}
POSTBACK = 2048  # characters that a tap returns
KINDS = (
    "text",
    "inline_button",
    "sticky_button",
    "image",
    "video",
    "document",
    "complex",
    "action",
)
M = TypeVar("M", bound=BaseModel)


class Button(Snake):
    title: StrictStr


class Linked(Snake):
    """A picture, film or document; `text` replaces it where it cannot be shown."""

    url: StrictStr
    text: StrictStr | None = None

    @property
    def on_the_web(self) -> bool:
        return is_address(self.url)


class Shown(Snake):
    """The content of a payload of any kind; a complex one has components of the other kinds."""

    title: StrictStr | None = None
    messages: tuple[StrictStr, ...] = ()
    buttons: tuple[Button, ...] = ()
    images: tuple[Linked, ...] = ()
    videos: tuple[Linked, ...] = ()
    documents: tuple[Linked, ...] = ()
    components: tuple["Shown", ...] = ()


def reply_of(ujet: object) -> Reply:
    """Returns the reply in one payload. Each part that cannot be read is refused separately."""
    if not isinstance(ujet, dict):
        return Reply(refused=("ujet: must be an object",))
    if ujet.get("type") not in (None, *KINDS):
        return _captured(ujet) + Reply(refused=("ujet.type: unknown",))
    return _captured(ujet) + _shown(ujet) + (_acted(ujet) if "action" in ujet else Reply())


def _read(model: type[M], value: object, where: str, then: Callable[[M], Reply]) -> Reply:
    """Returns the reply, or the refusal; a refusal names the field where the format does, and no
    value.
    """
    try:
        return then(model.model_validate(value))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join([where, *map(str, first["loc"][:1])])
        return Reply(refused=(f"{field}: {first['type']}",))


def _captured(ujet: JsonObject) -> Reply:
    if ujet.get("session_variable") is None:
        return Reply()
    return _read(
        SessionVariable,
        ujet["session_variable"],
        "ujet.session_variable",
        lambda declared: Reply(captures=(declared,)),
    )


def _acted(ujet: JsonObject) -> Reply:
    return _read(Action, ujet, "ujet", _action)


def _action(action: Action) -> Reply:
    """Returns the reply in an action. `direct` (one particular human) is documented for voice only;
    a human who joins sees which one was meant.
    """
    if action.action == "end":
        return Reply(ends=True)
    given = action.escalation_reason if isinstance(action.escalation_reason, str) else None
    reason = REASONS.get(given or "", given or REASONS["by_virtual_agent"])
    metadata: dict[str, Any] = action.model_dump(exclude_none=True, exclude={"type"})
    return Reply(escalation=Escalation(reason, metadata, named=reason == given))


def _shown(ujet: JsonObject) -> Reply:
    return _read(Shown, ujet, "ujet", _contents)


def _contents(shown: Shown) -> Reply:
    said = Reply(tuple(_texts(shown))) + _media(shown)
    for component in shown.components:
        said += _contents(component)
    return _with_suggestions(said, shown.buttons) if shown.buttons else said


def _texts(shown: Shown) -> Iterator[Content]:
    for text in (shown.title, *shown.messages):
        yield from texts(text or "")


def texts(text: str) -> Iterator[Content]:
    """Returns a text in pieces that fit into a message; none where the text is blank."""
    yield from (Content(text=piece) for piece in split_text(text, TEXT_LIMIT))


def _media(shown: Shown) -> Reply:
    pictures = [_picture(linked) for linked in shown.images]
    links = [_link(linked) for linked in (*shown.videos, *shown.documents)]
    return sum((*pictures, *links), Reply())


def _picture(linked: Linked) -> Reply:
    if not linked.on_the_web:
        return _link(linked)
    info = ContentInfo(file_url=linked.url, alt_text=linked.text)
    return Reply((Content(image=Image(content_info=info)),))


def _link(linked: Linked) -> Reply:
    """Returns a message with the link. A link without a web address is replaced by its text, if
    any.
    """
    said = tuple(
        texts("\n".join(filter(None, (linked.text, linked.url if linked.on_the_web else None))))
    )
    return Reply(said, refused=() if linked.on_the_web else ("ujet.url: no address on the web",))


def _with_suggestions(said: Reply, buttons: tuple[Button, ...]) -> Reply:
    """Adds the suggestions to the last message; where there is none, their titles are said
    instead.
    """
    titles = [button.title.strip() for button in buttons if button.title.strip()]
    suggestions = tuple(
        Suggestion(
            reply=Tap(
                text=shortened(title, CHIP_TEXT),
                postback_data=shortened(title, POSTBACK, mark="").strip(),
            )
        )
        for title in titles[:SUGGESTIONS]
    )
    shown = said.contents or tuple(texts(" / ".join(titles[:SUGGESTIONS])))
    last = tuple(content.model_copy(update={"suggestions": suggestions}) for content in shown[-1:])
    cut = () if len(titles) <= SUGGESTIONS else (f"ujet.buttons: more than {SUGGESTIONS}",)
    return replace(said, contents=(*shown[:-1], *last), refused=(*said.refused, *cut))
