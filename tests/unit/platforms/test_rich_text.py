"""Business Messages' rich text, as WhatsApp marks it and as plain words. Texts are those of
Google's samples.
"""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.platforms.rcs.outgoing import content_message
from shared.platforms.rich_text import PLAIN, WHATSAPP, translated
from shared.platforms.whatsapp.outgoing import message_of
from shared.schemas.content import Content

# bm-bootstrap-nodejs, src/api/messages.js; its fallback is what it wants shown elsewhere
GOOGLES = (
    "Hello, here is some **bold text**, *italicized text*, and a [link](https://www.google.com)."
)


@pytest.mark.parametrize(
    ("text", "whatsapp", "plain"),
    [
        (
            GOOGLES,
            "Hello, here is some *bold text*, _italicized text_, and a link (https://www.google.com).",
            "Hello, here is some bold text, italicized text, and a link (https://www.google.com).",
        ),
        ("__bold__ and _italic_", "*bold* and _italic_", "bold and italic"),
        ("***both***, ~~gone~~, `code`", "_*both*_, ~gone~, ```code```", "both, gone, code"),
        ("**[shop](https://x.test)**", "*shop (https://x.test)*", "shop (https://x.test)"),
        ("[https://x.test](https://x.test)", "https://x.test", "https://x.test"),
        ("<https://x.test/ä_b_c>", "https://x.test/ä_b_c", "https://x.test/ä_b_c"),
        ("[a@b.test](mailto:a@b.test)", "mailto:a@b.test", "mailto:a@b.test"),
        (
            "![a boot](https://x.test/a.png)",
            "a boot (https://x.test/a.png)",
            "a boot (https://x.test/a.png)",
        ),
        ("\\*as it is\\* snake_case", "*as it is* snake_case", "*as it is* snake_case"),
        ("Line\n\n\n- **one**\n  - two", "Line\n\n\n- *one*\n  - two", "Line\n\n\n- one\n  - two"),
        ("```\na = 1\nb = **2**\n```", "```a = 1\nb = **2**```", "a = 1\nb = **2**"),
    ],
)
def test_marks_become_the_channels_own(text: str, whatsapp: str, plain: str) -> None:
    assert (translated(text, WHATSAPP), translated(text, PLAIN)) == (whatsapp, plain)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("un**believ**able", "unbelievable"), ("请**注意**这里", "请注意这里"), ("**a\nb**", "a\nb")],
)
def test_marks_that_whatsapp_would_show_as_they_are_are_left_out(text: str, shown: str) -> None:
    assert translated(text, WHATSAPP) == shown


UNMARKED = st.characters(exclude_characters="*_~`[]()!<>\\\ue000\ue001\x00\r")


@given(text=st.text(alphabet=UNMARKED, min_size=1))
def test_a_text_without_marks_stays_as_it_is(text: str) -> None:
    assert translated(text, WHATSAPP) == translated(text, PLAIN) == text


@given(text=st.text(alphabet="ab *_~`[]()!<>\\\n:/h.", min_size=1, max_size=200))
def test_no_text_becomes_longer_in_plain_words_or_is_lost(text: str) -> None:
    assert len(translated(text, PLAIN)) <= len(text)
    assert bool(translated(text, WHATSAPP).strip()) == bool(text.strip())


def test_only_what_is_said_to_be_rich_is_read_as_such() -> None:
    assert content_message(Content(text=GOOGLES), None) == {"text": GOOGLES}
    said: Any = message_of(Content(text=GOOGLES), None)
    assert said["text"]["body"] == GOOGLES


def test_rcs_gets_plain_words_of_texts_and_cards() -> None:
    assert content_message(Content(text=GOOGLES, contains_rich_text=True), None) == {
        "text": "Hello, here is some bold text, italicized text, and a link (https://www.google.com)."
    }
    cards = [{"title": "**A**", "description": "*a*"}, {"title": "B"}]
    carousel = {"carouselCard": {"cardWidth": "SMALL", "cardContents": cards}}
    for card in (carousel, {"standaloneCard": {"cardContent": cards[0]}}):
        content = Content.model_validate({"richCard": card, "containsRichText": True})
        assert "*" not in json.dumps(content_message(content, None))


def test_a_chips_text_is_never_rich() -> None:
    suggestion = {"reply": {"text": "**A**", "postbackData": "a"}}
    content = Content.model_validate(
        {"text": "**?**", "suggestions": [suggestion], "containsRichText": True}
    )
    said: Any = message_of(content, None)
    assert said["interactive"]["body"]["text"] == "*?*"
    assert said["interactive"]["action"]["buttons"][0]["reply"]["title"] == "**A**"


def test_the_library_is_loaded_for_rich_text_only() -> None:
    script = (
        "import sys, shared.bootstrap.platforms; assert not [one for "
        "one in sys.modules if 'markdown_it' in one]"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
