"""Where customers are telephone numbers, no id shows one, and the number tells the language
only where it can.
"""

import base64
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.platforms.map_links import map_link
from shared.platforms.phones import Line, e164, language_of
from shared.platforms.rcs.platform import Rcs
from shared.platforms.suggestions import REQUEST_HUMAN, reply_of
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas.content import Suggestion
from shared.schemas.events import Event
from shared.schemas.http import Request

SAMPLES = Path(__file__).parents[2] / "samples"
CASES = [*sorted(SAMPLES.glob("rcs/*")), *sorted(SAMPLES.glob("whatsapp/*"))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_number_stands_in_the_address_and_nowhere_else(case: Path) -> None:
    platform = Rcs() if case.parent.name == "rcs" else WhatsApp()
    for event in platform.events(Request("POST", "/", (case / "body").read_bytes())):
        address = (isinstance(event, Event) and event.address) or ""
        shown = event.model_dump_json(exclude={"address", "native_id"})
        for text in (shown, *_decoded(shown)):
            assert "6281234567890" not in text
            assert "5511987654321" not in text
        assert not isinstance(event, Event) or address.count("|") == 1


def _decoded(shown: str) -> list[str]:
    """Returns what stands behind anything that may be base64, wherever it begins."""
    found = (
        part[start:] for part in re.findall(r"[A-Za-z0-9+/_-]{8,}", shown) for start in range(4)
    )
    whole = (part.translate(str.maketrans("-_", "+/"))[: len(part) // 4 * 4] for part in found)
    return [base64.b64decode(part).decode("latin-1") for part in whole]


def test_a_wamid_would_have_told_the_number() -> None:
    """Else the test above would prove nothing."""
    body = json.loads((SAMPLES / "whatsapp" / "text" / "body").read_text())
    wamid = body["entry"][0]["changes"][0]["value"]["messages"][0]["id"]
    assert any("5511987654321" in text for text in _decoded(wamid))


@given(agent=st.text(min_size=1), phone=st.from_regex(r"\+[0-9]{1,20}", fullmatch=True))
def test_a_conversation_id_never_holds_a_number_however_short(agent: str, phone: str) -> None:
    line = Line("rcs", agent, phone, f"{agent}|{phone}", "m")
    assert line.conversation.startswith("rcs:h-")
    assert len(line.conversation) == len("rcs:h-") + 32


def test_the_form_names_the_conversation_as_the_api_does() -> None:
    line = Line("rcs", "agent", "+6281234567890", "agent|+6281234567890", "m")
    form = json.loads(line.message("Hi").model_dump_json())["form"]
    assert form["conversationId"] == line.conversation
    assert form["message"]["name"] == f"conversations/{line.conversation}/messages/m"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("+621", "+621"),
        ("621", "+621"),
        ("", None),
        ("+", None),
        ("+62 1", None),
        (62, None),
        (None, None),
        ("٦٢", None),
    ],
)
def test_a_number_is_digits_with_or_without_its_plus(given: object, expected: str | None) -> None:
    assert e164(given) == expected


@pytest.mark.parametrize(
    ("phone", "language"),
    [
        ("+6281234567890", "id"),
        ("+5511987654321", "pt"),
        ("+351210000000", "pt"),
        ("+244923000000", "pt"),
        ("+258820000000", "pt"),
        ("+8613800000000", "zh"),
        ("+886900000000", "zh"),
        ("+85290000000", "zh"),
        ("+34600000000", "es"),
        ("+525500000000", "es"),
        ("+59890000000", "es"),
        ("+59260000000", None),  # Guyana
        ("+12015550123", None),
        ("+4915100000000", None),
        ("+353850000000", None),
    ],
)
def test_a_calling_code_tells_the_language_where_it_has_one(
    phone: str, language: str | None
) -> None:
    assert language_of(phone) == language


@pytest.mark.parametrize("language", [None, "en", "es", "id", "pt", "zh", "eo"])
def test_the_chip_that_asks_for_a_person_fits_a_button_in_every_language(
    language: str | None,
) -> None:
    suggestion = reply_of(Suggestion(live_agent_request={}), language)
    assert suggestion is not None
    assert 0 < len(suggestion.text) <= 20
    assert suggestion.postback_data == REQUEST_HUMAN


@pytest.mark.parametrize(
    "where",
    [(float("nan"), 0), (float("inf"), 0), (91, 0), (0, -181), (10**400, 0), (True, 0), (None, 0)],
)
def test_a_place_that_is_nowhere_on_earth_is_no_link(where: tuple[object, object]) -> None:
    assert map_link(*where) == "[location]"
    assert map_link(0, -12.5).endswith("query=0,-12.5")
