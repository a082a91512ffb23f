"""What Google Chat is asked, by the simulated Chat and by Google's own library."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.simulators.google_chat import SimulatedChat
from shared.errors import Refused
from shared.platforms.base import Outcome
from shared.platforms.desk import Chat, Opening, Spoken, Standing, Words
from shared.platforms.google_chat.desk import GoogleChatDesk
from shared.schemas.commands import CallDesk
from shared.schemas.details import Details
from shared.schemas.http import Answer
from tests.unit.simulated_chat import API, ChatSender

AT = datetime(2026, 4, 10, 9, 30, tzinfo=UTC)
DESK = GoogleChatDesk(API, "bearer:token")
OPEN = CallDesk(
    id="c-1",
    desk="support",
    platform="google_chat",
    action="open",
    handoff="handoff-1",
    place="spaces/AAAA",
    reason="billing",
    metadata={"order": 1},
    variables={"size": "L & <b>"},
)
SAID = (
    Spoken("customer", "hi", AT),
    Spoken("bot", "Hello", AT),
    Spoken("human", "I am back", AT, "Jane"),
)
PAGE = "https://desk.example.com/business_messages:3333"


def opening(**more: Any) -> Opening:
    return Opening(**{"command": OPEN, "customer": "c", "name": "Anna", "said": SAID, **more})


def opened(sender: ChatSender, **more: Any) -> Chat:
    native = sender.carry_out(DESK, DESK.open(opening(**more)))
    assert native is not None
    return Chat(native, "c", "handoff-1")


def thread(sender: ChatSender) -> str:
    (only,) = sender.chat.threads()
    return only


def card_of(sender: ChatSender) -> str:
    return json.dumps(sender.chat.shown(thread(sender))[0]["cardsV2"], ensure_ascii=False)


def test_a_handoff_starts_a_thread_with_what_is_known_of_it() -> None:
    sender = ChatSender()
    chat = opened(sender, page=PAGE)
    assert DESK.conversation(chat.native) == f"google_chat:{chat.native}"
    assert DESK.native(DESK.conversation(chat.native)) == chat.native
    assert sender.chat.buttons(thread(sender)) == {
        "Claim": "claim",
        "Nobody available": "unavailable",
    }
    shown = card_of(sender)
    for words in ("Anna", "billing", "Customer: hi", "Jane: I am back", PAGE, "L &amp; &lt;b&gt;"):
        assert words in shown


def test_a_repetition_finds_the_thread() -> None:
    sender = ChatSender()
    first = opened(sender)
    assert opened(sender, again=True, name="Anna B") == first
    sender.chat._requests.clear()  # Google Chat promises no time for which it knows a request
    assert opened(sender, again=True) == first
    assert len(sender.chat.messages) == 1


def test_another_handoff_is_another_thread() -> None:
    sender = ChatSender()
    first = opened(sender)
    other = OPEN.model_copy(update={"handoff": "handoff-2"})
    second = sender.carry_out(DESK, DESK.open(opening(command=other)))
    assert second != first.native
    assert len(sender.chat.threads()) == 2


@pytest.mark.parametrize("place", [None, "AAAA", "spaces/", "spaces/A/threads/B", "spaces/../x"])
def test_a_desk_names_its_space(place: str | None) -> None:
    with pytest.raises(Refused) as caught:
        next(DESK.open(opening(command=OPEN.model_copy(update={"place": place}))))
    assert caught.value.reason == "no-space"


def test_words_are_posted_once_however_often_they_are_sent() -> None:
    sender = ChatSender()
    chat = opened(sender)
    for _ in range(3):
        found = sender.carry_out(DESK, DESK.say(chat, Words("w-1", "hello", "hello", name="Anna")))
    sender.chat._requests.clear()
    assert DESK.outcome(sender.answer(sender.calls[-1])) is Outcome.DONE
    assert sender.shown(thread(sender))[1:] == ["*Anna:* hello"]
    assert found == sender.chat.shown(thread(sender))[1]["name"]


def test_what_the_customer_changes_and_deletes_changes_there() -> None:
    sender = ChatSender()
    chat = opened(sender)

    def say(**more: Any) -> str | None:
        return sender.carry_out(DESK, DESK.say(chat, Words(name="Anna", **more)))

    first = say(id="w-1", text="helo", said="helo")
    edited = Details.model_validate({"edited": {"text": "hello"}})
    say(id="w-2", text="[edited] hello", said="hello", details=edited, about=first)
    assert sender.shown(thread(sender))[1:] == ["*Anna:* hello _(edited)_"]
    deleted = Details.model_validate({"revoked": {}})
    assert say(id="w-3", text="[deleted]", details=deleted, about=first) == first
    assert sender.shown(thread(sender))[1:] == ["*Anna:* [deleted]"]
    # what is not known there is said in words
    say(id="w-4", text="[edited] bye", said="bye", details=edited)
    assert sender.shown(thread(sender))[2:] == ["*Anna:* [edited] bye"]


def test_a_change_of_a_message_that_somebody_deleted_is_posted_anew() -> None:
    sender = ChatSender()
    chat = opened(sender)
    first = sender.carry_out(DESK, DESK.say(chat, Words("w-1", "helo", name="Anna")))
    sender.chat.deletes(sender.chat.shown(thread(sender))[1])
    edited = Details.model_validate({"edited": {"text": "hello"}})
    words = Words("w-2", "[edited] hello", "hello", edited, "Anna", first)
    sender.carry_out(DESK, DESK.say(chat, words))
    assert sender.shown(thread(sender))[1:] == ["*Anna:* [edited] hello"]


def test_pictures_are_shown_and_other_files_are_links() -> None:
    sender = ChatSender()
    chat = opened(sender)
    files = [{"kind": "image", "caption": "my dog"}, {"kind": "document"}, {"kind": "sticker"}]
    links = ("https://m.test/1", "https://m.test/2", "")
    details = Details.model_validate({"attachments": files})
    words = Words("w-1", "[image]\nhttps://m.test/1\nhttps://m.test/2", None, details, links=links)
    sender.carry_out(DESK, DESK.say(chat, words))
    shown = sender.chat.shown(thread(sender))[1]
    (section,) = shown["cardsV2"][0]["card"]["sections"]
    assert section["widgets"] == [{"image": {"imageUrl": "https://m.test/1", "altText": "my dog"}}]
    assert "https://m.test/2" in shown["text"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<users/all> come", "<\u2060users/all> come"),
        ("<https://evil.test|bank.com>", "<\u2060https://evil.test|bank.com>"),
        ("<customEmojis/1>", "<\u2060customEmojis/1>"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("I <3 you", "I <3 you"),
        ("*bold*", "*bold*"),
    ],
)
def test_a_customer_calls_nobody_and_hides_no_link(text: str, shown: str) -> None:
    sender = ChatSender()
    chat = opened(sender)
    sender.carry_out(DESK, DESK.say(chat, Words("w-1", text, name=text)))
    assert sender.shown(thread(sender))[1].endswith(shown)


def test_long_words_are_split_and_none_are_lost() -> None:
    sender = ChatSender()
    chat = opened(sender)
    text = " ".join(f"{number}🙂" for number in range(4_000))
    sender.carry_out(DESK, DESK.say(chat, Words("w-1", text, name="Anna")))
    assert "".join(sender.shown(thread(sender))[1:]) == f"*Anna:* {text}"


@given(
    st.lists(st.tuples(st.text(max_size=5000), st.text(max_size=300)), max_size=50),
    st.text(max_size=300),
    st.dictionaries(st.text(max_size=200), st.text(max_size=3000), max_size=40),
)
def test_whatever_is_known_fits_into_the_card(
    said: list[tuple[str, str]], name: str, variables: dict[str, str]
) -> None:
    sender = ChatSender()
    command = OPEN.model_copy(update={"variables": variables, "metadata": None})
    spoken = tuple(Spoken("human", text, AT, by or None) for text, by in said)
    opened(sender, command=command, said=spoken, name=name, page=PAGE)


def test_a_long_transcript_keeps_its_end() -> None:
    sender = ChatSender()
    said = tuple(Spoken("customer", f"<line {number}> " + "é" * 2000, AT) for number in range(50))
    opened(sender, said=said)
    assert "line 49" in card_of(sender)
    assert "line 0&" not in card_of(sender)


def test_the_first_message_shows_who_has_the_customer() -> None:
    sender = ChatSender()
    chat = opened(sender)
    before = card_of(sender)
    sender.carry_out(DESK, DESK.show(chat, Standing("s-1", ("Jane Doe", "Omar"))))
    assert "Jane Doe, Omar" in sender.shown(thread(sender))[0]
    assert set(sender.chat.buttons(thread(sender)).values()) == {"claim", "release", "queue"}
    sender.carry_out(DESK, DESK.show(chat, Standing("s-2")))
    assert set(sender.chat.buttons(thread(sender)).values()) == {"claim", "unavailable"}
    assert card_of(sender) == before
    assert len(sender.chat.messages) == 1


def test_batons_own_words_are_posted_once() -> None:
    sender = ChatSender()
    chat = opened(sender)
    for _ in range(2):
        sender.carry_out(DESK, DESK.hint(chat, "h-1", "Claim it first."))
    assert sender.shown(thread(sender))[1:] == ["Claim it first."]


def test_the_end_takes_the_buttons_away_and_may_be_repeated() -> None:
    sender = ChatSender()
    chat = opened(sender)
    for _ in range(2):
        sender.carry_out(DESK, DESK.close(chat, "e-1", "released"))
    assert sender.chat.buttons(thread(sender)) == {}
    assert sender.shown(thread(sender))[1:] == ["This conversation is over."]
    # a chat of which only the name is known
    sender.carry_out(DESK, DESK.close(Chat(chat.native, "c", ""), "e-2", None))


def test_an_erase_leaves_nothing_of_the_customer_in_the_thread() -> None:
    sender = ChatSender()
    chat = opened(sender)
    for one, text in (("w-1", "My card is 4111"), ("w-2", "long " * 10_000)):
        sender.carry_out(DESK, DESK.say(chat, Words(one, text, name="Anna")))
    assert len(sender.chat.messages) > 3
    for _ in range(2):
        sender.carry_out(DESK, DESK.erase(chat, ("w-1", "w-2", "w-lost")))
    (message,) = sender.chat.messages.values()
    assert "Anna" not in json.dumps(message)
    assert "billing" not in json.dumps(message)


def test_a_thread_or_space_that_is_gone_is_over() -> None:
    sender = ChatSender()
    chat = opened(sender)
    sender.chat.deletes(sender.chat.shown(thread(sender))[0])
    words = Words("w-1", "hello", name="Anna")
    answer = sender.answer(next(DESK.say(chat, words)))  # type: ignore[arg-type]  # a call
    assert DESK.is_over(answer)
    assert DESK.refusal(answer) == "NOT_FOUND"
    sender.chat = SimulatedChat(spaces=())
    assert DESK.is_over(sender.answer(next(DESK.say(chat, words))))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(200, b"{}"), Outcome.DONE),
        (Answer(200, b"<html>Welcome to our proxy</html>"), Outcome.TRANSIENT),
        (Answer(409, b'{"error": {"status": "ALREADY_EXISTS"}}'), Outcome.DONE),
        (Answer(409, b'{"error": {"status": "ABORTED"}}'), Outcome.TRANSIENT),
        (Answer(429), Outcome.TRANSIENT),
        (Answer(503), Outcome.TRANSIENT),
        (Answer(403), Outcome.FORBIDDEN),
        (Answer(400), Outcome.PERMANENT),
    ],
)
def test_the_meaning_of_answers(answer: Answer, outcome: Outcome) -> None:
    assert DESK.outcome(answer) is outcome
    assert not DESK.is_over(answer)


def test_all_writes_in_one_space_share_its_limit() -> None:
    sender = ChatSender()
    chat = opened(sender)
    sender.carry_out(DESK, DESK.say(chat, Words("w-1", "hello")))
    sender.carry_out(DESK, DESK.close(chat, "e-1", None))
    assert [len(call.paces) for call in sender.calls] == [1] * len(sender.calls)
    assert len({pace for call in sender.calls for pace in call.paces}) == 1
