"""A tapped suggestion tells bots which message offered it, as Business Messages does, where the
platform does not.
"""

from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.conversations.receive_webhook import receive_webhook
from shared.delivery.deliver import deliver
from shared.handoff.visibility import body_of, words_to_mask
from shared.ports import Ports
from shared.schemas.commands import Publish
from shared.schemas.content import Content
from shared.schemas.notifications import USER_MESSAGES
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.phones_play import (
    ANA,
    RCS_ANA,
    Meta,
    bot,
    ports_of,
    rcs,
    says,
    signed,
    wamid,
)

YES = {"reply": {"text": "Yes", "postbackData": "yes"}}
SHOP = {
    "action": {"text": "Shop", "postbackData": "shop", "openUrlAction": {"url": "https://x.test"}}
}


@pytest.fixture
def ports(bench: Bench) -> Ports:
    return ports_of(bench)


async def _offers(ports: Ports, source: str, message: str, *suggestions: Any) -> None:
    content = Content.model_validate({"text": "?", "suggestions": suggestions})
    await apply(ports, bot(source, message).model_copy(update={"content": content}))
    await deliver(ports, source)


async def _tap(ports: Ports, source: str) -> Any:
    entry = next(one for one in await ports.store.latest(source, 1))
    (told,) = (
        one
        for one in entry.value.commands
        if isinstance(one, Publish) and one.topic == USER_MESSAGES
    )
    return body_of(entry.value, told)["suggestionResponse"]


async def test_rcs_does_not_tell_it_so_the_latest_message_with_that_chip_counts(
    ports: Ports,
) -> None:
    await receive_webhook(ports, rcs(messageId="u-1", text="hi"))
    await _offers(ports, RCS_ANA, "b-1", YES)
    await _offers(ports, RCS_ANA, "b-2", YES, SHOP)
    await _offers(ports, RCS_ANA, "b-3")
    await receive_webhook(
        ports, rcs(messageId="u-2", suggestionResponse={"postbackData": "yes", "text": "Yes"})
    )
    tap = await _tap(ports, RCS_ANA)
    assert tap["message"] == f"conversations/{RCS_ANA}/messages/b-2"
    assert (tap["type"], tap["suggestionType"]) == ("REPLY", "REPLY")


async def test_the_tap_of_an_action_has_the_text_of_its_suggestion(ports: Ports) -> None:
    await receive_webhook(ports, rcs(messageId="u-1", text="hi"))
    await _offers(ports, RCS_ANA, "b-1", SHOP)
    await receive_webhook(ports, rcs(eventId="u-2", suggestionResponse={"postbackData": "shop"}))
    tap = await _tap(ports, RCS_ANA)
    assert (tap["message"], tap["text"]) == (f"conversations/{RCS_ANA}/messages/b-1", "Shop")
    assert (tap["type"], tap["suggestionType"]) == ("ACTION", "ACTION")
    entry = (await ports.store.latest(RCS_ANA, 1))[0].value
    assert words_to_mask(entry) == "Shop"


async def test_a_chip_that_no_message_on_record_offered_names_none(ports: Ports) -> None:
    await receive_webhook(
        ports, rcs(messageId="u-2", suggestionResponse={"postbackData": "yes", "text": "Yes"})
    )
    assert "message" not in await _tap(ports, RCS_ANA)


async def test_whatsapp_tells_it_and_the_callers_own_id_stands_there(ports: Ports) -> None:
    await receive_webhook(ports, signed(messages=[says(0, "U1")]))
    await _offers(ports, ANA, "b-1", YES)
    await _offers(ports, ANA, "b-2", YES)
    button = {"type": "interactive", "interactive": {"button_reply": {"id": "yes", "title": "Yes"}}}
    assert isinstance(ports.sender, Meta)
    first = next(
        n for n, call in enumerate(ports.sender.calls, 1) if call.url.endswith("/messages")
    )
    tapped = {
        "from": "12025550100",
        "id": wamid("U2"),
        **button,
        "context": {"id": wamid(f"OURS{first}")},
    }
    await receive_webhook(ports, signed(messages=[tapped]))
    assert (await _tap(ports, ANA))["message"] == f"conversations/{ANA}/messages/b-1"
