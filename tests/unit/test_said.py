"""What readers of plain text get of a message, such as a contact center that takes texts alone."""

from typing import Any

import pytest

from shared.handoff.said import in_words

ABOUT = {"message": "m1", "by": "BOT", "text": "Which\nboots?"}


@pytest.mark.parametrize(
    ("said", "details", "words"),
    [
        ("Hello", {}, "Hello"),
        ("These!", {"about": ABOUT}, "> Which boots?\nThese!"),
        ("These!", {"about": {"message": "m1"}}, "These!"),
        ("How much?", {"product": {"productId": "BOOT-7"}}, "[product BOOT-7]\nHow much?"),
        (
            "Hi",
            {"referral": {"sourceType": "ad", "headline": "Boots", "sourceUrl": "https://x.test"}},
            "[ad] Boots https://x.test\nHi",
        ),
        ("!", {"about": ABOUT, "reaction": {"emoji": "!"}}, "> Which boots?\n[reaction] !"),
        (None, {"reaction": {}}, "[no reaction any more]"),
        ("Street 21", {"edited": {"text": "Street 21"}}, "[edited] Street 21"),
        (None, {"about": {"message": "m1"}, "revoked": {}}, "[deleted a message]"),
        (None, {"callPermission": {"response": "accept"}}, "[call permission] accept"),
        ("Brown", {"about": ABOUT, "choice": {"description": "Warm"}}, "Brown\n(Warm)"),
        (None, {}, None),
    ],
)
def test_plain_text_says_what_a_message_does(
    said: str | None, details: dict[str, Any], words: str | None
) -> None:
    assert in_words(said, details) == words
