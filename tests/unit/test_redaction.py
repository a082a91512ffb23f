"""What a redacted transcript masks, and what stays readable in it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.export.redaction import Mask, pseudonym
from infra.export.transcripts import Line
from shared.platforms.map_links import map_link
from shared.schemas.conversation import Conversation
from shared.schemas.journal import JournalEntry, Sealed, Verdict
from shared.schemas.variables import Audience, Provenance, Variable

AT = datetime(2026, 3, 1, tzinfo=UTC)


def variable(key: str, value: Any, *audiences: Audience) -> Variable:
    return Variable(
        key=key,
        value=value,
        audiences=audiences,
        captured_at=AT,
        provenance=Provenance(signed=True),
    )


def mask(*variables: Variable) -> Mask:
    return Mask([Conversation(id="csku:1", address="1", variables=variables)])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("call +62 812-3456-7890 now", "call [phone] now"),
        ("(030) 123 45 67", "[phone]"),
        ("(call 0812 3456 789)", "(call [phone])"),
        ("call...08123456789", "call...[phone]"),
        ("call.08123456789.", "call.[phone]."),
        ("0812\u00a0345\u202f678\u2011901", "[phone]"),
        ("0812\u2013345\u2014678", "[phone]"),
        ("0812\u22123456\u2009789", "[phone]"),
        ("\uff10\uff18\uff11\uff12\uff0d\uff13\uff14\uff15\uff16", "[phone]"),
        ("\u0660\u0668\u0661\u0662\u0663\u0664\u0665", "[phone]"),
        (
            "1\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e34\ufe0f\u20e35\ufe0f\u20e36\ufe0f\u20e37\ufe0f\u20e3!",
            "[phone]!",
        ),
        ("08\u200b12\u200d34\u00ad56\u20607", "[phone]"),
        ("WA08123456789", "WA[phone]"),
        ("tel555-123-4567", "tel[phone]"),
        ("no0812 3456 789", "no[phone]"),
        ("555 123 4567 ext2", "[phone]"),
        ("555-123-4567x12, ok", "[phone], ok"),
        ("0812 -- 3456 -- 789", "[phone]"),
        ("0812 . 3456 . 789", "[phone]"),
        ("0812,3456,789", "[phone]"),
        ("0812\n3456\n789", "[phone]"),
        ("08123456789" * 9, "[phone]"),
        ("order 1234567 came", "order [phone] came"),
        ("order 12345 of 2026", "order 12345 of 2026"),
        ("12.50, 10:30, 99.90, 08:15", "12.50, 10:30, 99.90, 08:15"),
        ("2026-11-20 10:30 to 20.11.2026", "2026-11-20 10:30 to 20.11.2026"),
        ("20/11/2026 - 25/11/2026, 10:30-11:30:15", "20/11/2026 - 25/11/2026, 10:30-11:30:15"),
        ("call 090\u30fc1234\u30fc5678", "call [phone]"),
        ("0812\u25503456\u25507890, 0812 \u2500 3456 \u2500 7890", "[phone], [phone]"),
        ("0812=3456=789", "[phone]"),
        ("0812\u30013456\u30017890", "[phone]"),
        ("0812 \u260e 3456 \u260e 7890", "[phone]"),
        ("0812%203456%20789", "[phone]"),
        ("0812<br>3456<br/>789", "[phone]"),
        ("0812&nbsp;3456&#160;789", "[phone]"),
        ("0812\\n3456\\n789", "[phone]"),
        ("12.50, 10.30, 99.90", "12.50, 10.30, 99.90"),
        ("$12.50 $10.30 \u20ac 99.90 \u20ac 11.00", "$12.50 $10.30 \u20ac 99.90 \u20ac 11.00"),
        ("10% 20% 30% 40%", "10% 20% 30% 40%"),
        ("12.50\u060c 10.30\u060c 99.90", "12.50\u060c 10.30\u060c 99.90"),
        ("10:30! 11:45? 1234? 567!", "10:30! 11:45? 1234? 567!"),
        (
            "2026-11-20 \u2192 2026-11-25 = 10:30 <br> 11:30",
            "2026-11-20 \u2192 2026-11-25 = 10:30 <br> 11:30",
        ),
        ("2026-11-20-555", "[phone]"),
        ("+20-11-2026", "[phone]"),
        ("3012-11-20", "[phone]"),
    ],
)
def test_numbers(text: str, masked: str) -> None:
    assert mask().text(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("a.b+c@x-y.example.com, ok", "[e-mail], ok"),
        ("<jane@host>", "<[e-mail]>"),
        ("o'x@example.com.", "[e-mail]."),
        ('it is "jane doe"@example.com', "it is [e-mail]"),
        ("j\u00fcrgen@m\u00fcller.de!", "[e-mail]!"),
        (
            "\u092a\u0924\u093e@\u0909\u0926\u093e\u0939\u0930\u0923.\u092d\u093e\u0930\u0924 ok",
            "[e-mail] ok",
        ),
        ("jane\uff20example\uff0ecom", "[e-mail]"),
        ("jane@[10.0.0.1]", "[e-mail]"),
        ("jane @ example.com", "[e-mail]"),
        ("jane  @\n example.com", "[e-mail]"),
        ("see /u/jane%40example.com/x", "see /u/[e-mail]/x"),
        ("jane%2540example.com, jane&#64;example.com", "[e-mail], [e-mail]"),
        ("I am @ home", "I am @ home"),
        ("jane (at) example.com", "jane (at) example.com"),
        ("mailto:jane@example.com?subject=hi", "mailto:[e-mail]?subject=hi"),
    ],
)
def test_mail_addresses(text: str, masked: str) -> None:
    assert mask().text(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("the PIN is 9f3kk2, 9F3KK2!", "the PIN is [hidden], [hidden]!"),
        ("\uff19\uff46\uff13kk2", "[hidden]"),
        ("None is True: ab-778-XY and 987", "None is True: [hidden] and [hidden]"),
        ("jane@example.com my dog", "[hidden]"),
        ("ababa", "[hidden]"),
        ("order 12345", "order 12345"),
        ("0812987345678", "[phone]"),
        (None, None),
    ],
)
def test_hidden_values_wherever_they_stand_and_no_others(
    text: str | None, masked: str | None
) -> None:
    hidden = [
        "9f3kk2",
        None,
        True,
        {"codes": ["AB-778-xy"], "n": 987},
        "jane@example.com my dog",
        "aba",
        "x",
    ]
    variables = (variable(str(n), value, Audience.EVENT) for n, value in enumerate(hidden))
    assert mask(*variables, variable("order", "12345", Audience.AGENT)).text(text) == masked


@pytest.mark.parametrize(
    ("value", "text", "masked"),
    [
        ("Jos\u00e9 \u00d1and\u00fa", "I am Jose\u0301 N\u0303andu\u0301!", "I am [hidden]!"),
        ("Jose\u0301", "Jos\u00e9 or \uff2a\uff4f\uff53\uff45", "[hidden] or [hidden]"),
        ("12 Elm Street", "at 12  Elm\n Street, 12\u00a0Elm\u2009Street", "at [hidden], [hidden]"),
        ("12 Elm Street", "12, elmstreet", "[hidden]"),
        ("secret", "sec\u200bret\u200d, se\u00adcret", "[hidden], [hidden]"),
        ("secret", "sec retold", "sec retold"),
        ("low", "hello world", "hello world"),
        ("stra\u00dfe", "STRASSE", "[hidden]"),
        ("STRASSE", "Stra\u00dfe", "[hidden]"),
        ("\u0130stanbul", "istanbul, \u0131stanbul", "[hidden], [hidden]"),
        ("O'Brien Ltd", "O\u2019Brien\u2010Ltd", "[hidden]"),
        (123456, "123 456, 123.456 and 1-2-3-4-5-6", "[hidden], [hidden] and [hidden]"),
        ("123456", "\u0661\u0662\u0663 \u0664\u0665\u0666", "[hidden]"),
        (250000, "Rp 250.000", "Rp [hidden]"),
        (250000.0, "Rp 250'000", "Rp [hidden]"),
        ("9f3kk2", "9f3-kk2", "[hidden]"),
        ("\u6771\u4eac\u90fd\u6e2f\u533a", "\u6771\u4eac\u90fd \u6e2f\u533a", "[hidden]"),
        ("a#$%", "it is a#$%", "it is [hidden]"),
        ("C 3", "c3", "c3"),
    ],
)
def test_hidden_values_however_they_are_written(value: Any, text: str, masked: str) -> None:
    assert mask(variable("k", value, Audience.EVENT)).text(text) == masked


def line(role: str | None, text: str, **more: Any) -> Line:
    return Line(AT, "kind", "sent", role, "Jane 0812", text, **more)


@pytest.mark.parametrize(
    ("role", "text", "masked"),
    [
        ("user", f"Home\nJalan Mawar 3\n{map_link(1.3, 103.8)}", "[location]"),
        ("user", "Jane's home\nJalan Mawar 3\n[location]", "[location]"),
        ("assistant", "A place:\n[location]", "A place:\n[location]"),
        ("user", "is [location] a place", "is [location] a place"),
        ("user", "look\nhttps://files.test/a/b.jpg?key=1", "look\n[link]"),
        (
            "human_agent",
            "see https://shop.test/help?token=a1#me ok",
            "see https://shop.test/help[link] ok",
        ),
        ("assistant", "https://shop.test/@jane/faq", "https://shop.test/@jane/faq"),
        ("user", "[contact]\nJane Doe +62 812", "[contact]"),
        ("user", "my card\n[document] Jane Doe.pdf", "my card\n[document]"),
        ("user", "my card\n[document] KTP Jane\nDoe.pdf", "my card\n[document]"),
    ],
)
def test_what_stands_for_places_contacts_and_files(role: str, text: str, masked: str) -> None:
    assert mask().line(line(role, text)).text == masked


def test_names_of_agents_stay_and_reasons_are_masked() -> None:
    masked = mask().line(line("human_agent", "Hi", reason="call +62 812 345678"))
    assert (masked.name, masked.reason) == ("Jane 0812", "call [phone]")


def entry(text: str | None, *audiences: Audience) -> JournalEntry:
    return JournalEntry(
        id="e", conversation="csku:1", seq=1, time=AT, source="csku:1", kind="user_message",
        verdict=Verdict.ACCEPTED, nonce="n", text=None if text is None else Sealed(text),
        captured_for=audiences,
    )  # fmt: skip


def test_words_captured_under_a_hidden_key_are_masked_whole_and_where_they_are_repeated() -> None:
    known = mask()
    for one in (
        entry("Bluebird", Audience.EVENT),
        entry("A-77", Audience.AGENT),
        entry("ok"),
        entry(None),
    ):
        known.learn(one)
    assert known.line(line("user", "it is bluebird", captured_for=())).text == "[hidden]"
    assert (
        known.line(line("user", "it is bluebird, A-77", captured_for=(Audience.AGENT,))).text
        == "it is [hidden], A-77"
    )
    assert known.text("BLUEBIRD? ok, A-77") == "[hidden]? ok, A-77"


def test_a_pseudonym_is_the_same_within_an_export_and_in_no_other() -> None:
    assert (
        pseudonym("csku:628123", "a")
        == pseudonym("csku:628123", "a")
        != pseudonym("csku:628124", "a")
    )
    assert pseudonym("csku:628123", "a") != pseudonym("csku:628123", "b")
    assert pseudonym("csku:628123", "a").startswith("csku:p-")


@pytest.mark.parametrize(
    "text",
    [
        "a", "@", '"', "1-", "(+", "a.", "x@y.", "http://", "123456 a", "12-11-2020 - ", "aba",
        "ab ", "a%40",
        "10:10:", "10:30< >", "1< >1< >1< >1< >1< >x", "1%20", "&a", "1 <",
    ],
)  # fmt: skip
@pytest.mark.timeout(300)
def test_no_text_takes_long(text: str) -> None:
    """A slip in a pattern takes the square of the length or worse, which here is minutes to
    hours.
    """
    assert mask(variable("k", "aba")).text(text * (100_000 // len(text)))
