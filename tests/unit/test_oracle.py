"""The oracle sees each thing that may never be shown, and nothing else."""

from typing import Any

import pytest

from infra.local.oracle import as_labelled, open_frames, texts, violations

JOINED, LEFT = "REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT"


def row(kind: str, who: str | None, name: str, **body: Any) -> dict[str, Any]:
    speaker = {"representative": {"representativeType": who, "displayName": name}} if who else {}
    return {"side": "business", "kind": kind, "body": {**body, **speaker}}


def bot(text: str) -> dict[str, Any]:
    return row("message", "BOT", "Bot", text=text)


def human(text: str, name: str = "Jane") -> dict[str, Any]:
    return row("message", "HUMAN", name, text=text)


def joined(name: str = "Jane") -> dict[str, Any]:
    return row("event", "HUMAN", name, eventType=JOINED)


def left(name: str = "Jane") -> dict[str, Any]:
    return row("event", "HUMAN", name, eventType=LEFT)


def judged(*rows: dict[str, Any], accepted: tuple[str, ...] = ()) -> list[str]:
    transcript = [{"seq": seq, "id": f"id-{seq}", **one} for seq, one in enumerate(rows, 1)]
    return [fault.partition(":")[0] for fault in violations(transcript, accepted)]


def test_a_whole_handoff_is_fine() -> None:
    told = (
        bot("hi"),
        joined(),
        human("hello"),
        joined("Sam"),
        human("hey", "Sam"),
        left(),
        left("Sam"),
        bot("bye"),
    )
    assert judged(*told, accepted=("hi", "hello", "hey", "bye")) == []


def test_a_customers_words_are_no_fault() -> None:
    said = {"side": "customer", "kind": "message", "body": {"text": "hi"}}
    assert (
        judged(said, {**said, "kind": "status"}, {**said, "side": "business", "kind": "receipt"})
        == []
    )


def test_a_text_that_stands_in_for_an_event_counts_as_the_event() -> None:
    assert (
        judged(
            human("Jane joined the conversation."),
            human("hello"),
            human("Jane left the conversation."),
        )
        == []
    )
    assert (
        judged(human("A person joined the conversation.", ""), human("hello", ""), left("")) == []
    )


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param([human("hello")], ["I1"], id="a human speaks before joining"),
        pytest.param([joined(), left(), human("hello")], ["I1"], id="a human speaks after leaving"),
        pytest.param(
            [joined(), human("hello", "Sam")], ["I1"], id="a human speaks in another's frame"
        ),
        pytest.param([joined(), joined()], ["I1"], id="a human joins twice"),
        pytest.param(
            [joined(), human("Jane joined the conversation.")], ["I1"], id="event and text both"
        ),
        pytest.param([left()], ["I1"], id="a human leaves who never joined"),
        pytest.param([joined(), bot("hi")], ["I2"], id="the bot talks over a human"),
        pytest.param(
            [joined(), joined("Sam"), left(), bot("hi")],
            ["I2"],
            id="the bot talks over the second human",
        ),
        pytest.param([row("message", None, "", text="hi")], ["I10"], id="nobody speaks"),
        pytest.param([row("event", "BOT", "Jane", eventType=JOINED)], ["I10"], id="a bot joins"),
        pytest.param(
            [joined(), row("event", "HUMAN", "Jane", eventType="WHAT")],
            ["I10"],
            id="an unknown event",
        ),
        pytest.param(
            [{**bot("hi"), "id": "x"}, {**bot("ho"), "id": "x"}], ["I4"], id="an id twice"
        ),
    ],
)
def test_each_violation_is_seen(rows: list[dict[str, Any]], found: list[str]) -> None:
    assert judged(*rows) == found


@pytest.mark.parametrize(
    "shown", [("a",), ("a", "b", "b"), ("b", "a")], ids=["missing", "twice", "disorder"]
)
def test_what_was_accepted_is_shown_once_and_in_order(shown: tuple[str, ...]) -> None:
    assert judged(*map(bot, shown), accepted=("a", "b")) == ["I4"]


def test_it_says_who_is_still_there_and_what_was_said() -> None:
    rows = [
        {"seq": n, "id": str(n), **one}
        for n, one in enumerate([joined(), joined("Sam"), human("hi"), left()])
    ]
    assert open_frames(rows) == ["Sam"]
    assert texts(rows) == ["hi"]


def plain(*said: str, accepted: tuple[str, ...] = ()) -> list[str]:
    rows = [
        {"seq": n, "id": str(n), "side": "business", "kind": "message", "body": {"text": one}}
        for n, one in enumerate(said)
    ]
    return [
        fault.partition(":")[0]
        for fault in violations(as_labelled(rows, ["Jane", "Jane Doe"]), accepted)
    ]


BACK = "Jane has left. You are talking with our automated assistant again."
WAIT = "Everyone is busy right now. You are still in line, and somebody will be with you soon."


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (["hi", "Jane joined the conversation.", "Jane: hello", BACK, "bye"], []),
        (
            [
                "Jane Doe entrou na conversa.",
                "Jane entrou na conversa.",
                "Jane Doe: oi",
                "Jane Doe saiu da conversa.",
            ],
            [],
        ),
        (["Jane已加入对话。", "Jane：您好", "Jane已离开。现在由我们的自动助手继续与您对话。"], []),
        (["Una persona se ha unido a la conversación.", "Una persona: hola"], []),
        (["Jane bergabung dalam percakapan."] * 2, []),
        (["Jane joined the conversation.", "Jane: hello", "Jane joined the conversation."], ["I1"]),
        (["Jane: hello"], ["I1"]),
        (["Jane joined the conversation.", "hello"], ["I2"]),
        (["Jane joined the conversation.", "Jane left the conversation."], ["I2"]),
        (["Jane joined the conversation.", "Jane left the conversation.", "hello"], ["I2"]),
        (["Jane joined the conversation.", "Jane left the conversation.", WAIT], []),
        (["Jane joined the conversation.", "Jane Doe joined the conversation.", BACK], ["I2"]),
    ],
)
def test_where_all_is_text_it_reads_who_speaks(said: list[str], found: list[str]) -> None:
    assert plain(*said) == found


def test_where_all_is_text_each_message_counts_without_its_name() -> None:
    said = "Jane joined the conversation.", "Jane: a", "Jane: b"
    assert plain(*said, accepted=("a", "b")) == []
    assert plain(*said, accepted=("b", "a")) == ["I4"]
    assert plain(*said, "Jane: b", accepted=("a", "b")) == ["I4"]


@pytest.mark.parametrize(
    "body", [{"text": {"body": "Jane: hi"}}, {"contentMessage": {"text": "Jane: hi"}}]
)
def test_it_reads_each_channels_form(body: dict[str, Any]) -> None:
    row = {"seq": 1, "id": "1", "side": "business", "kind": "message", "body": body}
    assert texts(as_labelled([row], ["Jane"])) == ["hi"]
