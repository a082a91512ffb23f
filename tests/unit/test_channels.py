"""What a customer sees on a channel that shows neither frames nor who speaks."""

from datetime import timedelta
from typing import Any

import pytest

from infra.local.oracle import open_frames, violations
from shared.handoff.notices import BUILT_IN, Notice, notices
from shared.schemas.commands import SendEvent, SendMessage
from shared.schemas.content import Content
from shared.schemas.conversation import Phase
from shared.schemas.journal import Verdict
from tests.unit.talk import NOW, Talk

CARD = {"richCard": {"standaloneCard": {"cardContent": {"title": "Shoes"}}}}


@pytest.mark.parametrize(
    "locale", ["en-GB", "es-419", "id", "in_ID", "pt-BR", "zh-Hant-TW", None, "fr"]
)
def test_a_whole_handoff_reads_as_one_in_every_language(locale: str | None) -> None:
    talk = Talk(locale)
    talk.user()
    talk.bot("let me see")
    talk.wants_human()
    talk.joins()
    talk.says("hello")
    talk.joins("Sam")
    talk.says("me too", "Sam")
    talk.leaves()
    talk.says("bye", "Sam")
    talk.leaves("Sam")
    talk.bot("anything else?")
    seen = talk.labelled("Jane", "Sam")
    assert violations(seen, ["let me see", "hello", "me too", "bye", "anything else?"]) == []
    assert len([row for row in seen if row["kind"] == "event"]) == 4
    assert open_frames(seen) == []


def test_a_human_who_goes_hands_back_in_one_text() -> None:
    talk = Talk()
    talk.user()
    talk.joins()
    talk.leaves()
    back = "Jane has left. You are talking with our automated assistant again."
    assert talk.shown == ["Jane joined the conversation.", back]


def test_an_idle_return_is_told_once_and_names_the_last_human_only_in_it() -> None:
    talk = Talk()
    talk.user()
    talk.joins()
    talk.joins("Sam")
    talk.idle()
    assert talk.shown[2:] == [
        "Jane left the conversation.",
        "Sam has left. You are talking with our automated assistant again.",
    ]
    assert violations(talk.labelled("Jane", "Sam")) == []


@pytest.mark.parametrize(
    ("policy", "left", "returned"),
    [
        ({}, "Jane has left. You are", "Jane has left. You are"),
        ({"disclosure_off": frozenset({"plain"})}, "Jane left", "Jane has left. You are"),
        ({"notices_off": frozenset({"plain"})}, "Jane has left. You are", "Jane has left. You are"),
        ({"notices_off": frozenset({"plain"}), "disclosure_off": frozenset({"plain"})}, None, None),
        (
            {"notices_off": frozenset({"rcs"}), "disclosure_off": frozenset({"rcs"})},
            "Jane has left.",
            "Jane has left.",
        ),
    ],
)
def test_what_is_off_is_not_said_and_the_disclosure_has_its_own_switch(
    policy: dict[str, Any], left: str | None, returned: str | None
) -> None:
    for goes, expected in ((Talk.leaves, left), (Talk.idle, returned)):
        talk = Talk(**policy)
        talk.user()
        talk.joins()
        before = len(talk.shown)
        goes(talk)
        assert [text.startswith(expected or "") for text in talk.shown[before:]] == (
            [True] if expected else []
        )


def test_notices_off_says_none_of_batons_own_words_but_what_people_say() -> None:
    talk = Talk(notices_off=frozenset({"plain"}))
    talk.user()
    talk.wants_human()
    talk.fails()
    talk.joins()
    talk.says("hello")
    assert talk.shown == ["Jane: hello"]


def test_that_no_human_is_available_is_said_in_the_customers_language() -> None:
    talk = Talk("es-MX")
    talk.user()
    talk.wants_human()
    talk.fails()
    assert talk.shown == [BUILT_IN["es"]["nobody"]]


def test_where_frames_are_shown_they_are_events_and_batons_words_follow_the_locale() -> None:
    talk = Talk("pt-BR", platform="business_messages")
    talk.user()
    talk.joins()
    talk.says("olá")
    talk.idle()
    (joined, said, left, returned) = (
        c for c in talk.done if isinstance(c, SendEvent | SendMessage)
    )
    assert isinstance(joined, SendEvent)
    assert isinstance(left, SendEvent)
    assert (joined.notice, left.notice) == (False, False)
    assert (joined.text, left.text) == ("Jane entrou na conversa.", "Jane saiu da conversa.")
    assert isinstance(said, SendMessage)
    assert isinstance(returned, SendMessage)
    assert (said.content.text, returned.content.text) == ("olá", BUILT_IN["pt"]["returned"])


def test_an_operators_own_words_win_and_the_rest_stays() -> None:
    talk = Talk("nl", notices=notices({"nl": {"joined": "{name} is er nu."}}))
    talk.user()
    talk.joins()
    talk.leaves()
    assert talk.shown[0] == "Jane is er nu."
    assert talk.shown[1].startswith("Jane has left.")


def test_a_customer_whose_language_is_not_known_is_spoken_to_in_the_operators() -> None:
    for locale, expected in ((None, "pt"), ("sv", "pt"), ("es-AR", "es")):
        talk = Talk(locale, notices=notices({}, "pt"))
        talk.user()
        talk.wants_human()
        talk.fails()
        assert talk.shown == [BUILT_IN[expected]["nobody"]]


def test_every_language_has_every_notice() -> None:
    assert {language: set(words) for language, words in BUILT_IN.items()} == {
        one: set(Notice) for one in BUILT_IN
    }
    assert {"en", "es", "id", "pt", "zh"} <= set(BUILT_IN)


def test_an_old_code_finds_the_words_and_so_does_a_language_that_reads_another() -> None:
    own = notices(
        {"tl": {"nobody": "Wala"}, "no": {"nobody": "Ingen"}, "iw": {"nobody": "Ein"}}, "in"
    )
    said = {"fil-PH": "Wala", "tl": "Wala", "nb-NO": "Ingen", "he_IL": "Ein",
        "fi": BUILT_IN["id"]["nobody"],
            "yue-HK": BUILT_IN["zh"]["nobody"], "in_ID": BUILT_IN["id"]["nobody"]}  # fmt: skip
    assert {one: own.text(Notice.NOBODY, one) for one in said} == said


def test_a_name_is_one_line_and_a_missing_name_has_a_substitute() -> None:
    talk = Talk("zh-CN")
    talk.user()
    talk.says("您好", None)
    talk.joins("Jane\n\nDoe: {name}")
    assert talk.shown == ["客服人员已加入对话。", "客服人员：您好", "Jane Doe: {name}已加入对话。"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("ශ්\u200dරී", "ශ්\u200dරී"),
        ("Ana 👩\u200d🚀", "Ana 👩\u200d🚀"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
        ("Ja\U000e0041ne", "Jane"),
        ("\u200dJane\u200c Doe\u200d", "Jane Doe"),
        ("J\u202eane\u2066\x07\ufeff\u00ad", "Jane"),
        ("J\x00a\tn\ne", "Ja n e"),
        ("\u200d\ufe0f\u200c", "somebody"),
        ("x" * 79 + "\u200dy", "x" * 79),
    ],
    ids=ascii,
)
def test_a_name_keeps_what_its_script_needs_and_loses_what_is_not_seen(
    name: str, expected: str | None
) -> None:
    words = notices({"en": {"joined": "{name}", "somebody": "somebody"}})
    assert words.text(Notice.JOINED, "en", name) == (expected or name)


# Who speaks.


@pytest.mark.parametrize("length", [3066, 3067, 7000])
def test_every_piece_of_a_long_message_has_the_name_and_fits(length: int) -> None:
    talk = Talk()
    talk.user()
    said = ("word " * length)[:length]
    talk.says("", content=Content.model_construct(text=said))
    pieces = talk.shown[1:]
    assert all(piece.startswith("Jane: ") and len(piece) <= 3072 for piece in pieces)
    assert "".join(piece.removeprefix("Jane: ") for piece in pieces) == said


@pytest.mark.parametrize("off", [frozenset[str](), frozenset({"plain"})])
def test_the_name_can_be_switched_off(off: frozenset[str]) -> None:
    talk = Talk(name_prefix_off=off)
    talk.user()
    talk.says("hello")
    assert talk.shown[1] == ("hello" if off else "Jane: hello")


def test_before_a_card_the_name_stands_alone_and_the_card_keeps_the_callers_id() -> None:
    talk = Talk()
    talk.user()
    talk.joins()
    said = talk.says(
        "", content=Content.model_validate(CARD), id="card-1", fact=False, keeps_id=True
    )
    label, card = said.commands
    assert isinstance(label, SendMessage)
    assert isinstance(card, SendMessage)
    assert (label.content.text, card.id) == ("Jane:", "card-1")
    assert label.id != card.id
    assert label.frame == card.frame


def test_a_bot_has_no_name_before_its_words() -> None:
    talk = Talk()
    talk.user()
    talk.bot("beep")
    assert talk.shown == ["beep"]


# What the channel has shown already.


def test_what_a_person_typed_in_the_channels_own_app_is_not_said_again_but_counts() -> None:
    talk = Talk()
    talk.user()
    talk.wants_human()
    talk.says("hello from my phone", delivered=True)
    assert talk.shown == []
    assert talk.told[-1] == ("handoff.joined", "asked")
    assert talk.conversation.phase is Phase.HUMAN
    assert talk.conversation.first_response_seconds == 0
    assert talk.conversation.timer is not None
    assert talk.bot(fact=False).reason == "human-present"
    talk.leaves()
    assert talk.shown == ["Jane has left. You are talking with our automated assistant again."]


def test_late_words_of_the_desk_are_not_notified() -> None:
    talk = Talk()
    talk.user()
    talk.joins("Sam")
    talk.leaves("Sam")
    before = talk.shown
    late = talk.says("old", delivered=True, occurred_at=NOW - timedelta(hours=1))
    assert (late.verdict, talk.shown, talk.conversation.phase) == (Verdict.STALE, before, Phase.BOT)


def test_a_text_in_which_there_is_no_word_is_sent_as_no_message() -> None:
    talk = Talk()
    talk.user()
    talk.joins()
    talk.says(" \n" * 3)
    talk.says("a" + " " * 7000 + "b")
    assert [text.split() for text in talk.shown[1:]] == [["Jane:", "a"], ["Jane:", "b"]]
