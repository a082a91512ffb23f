"""Who may see a variable: what is hidden from an audience is in nothing that is made for it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.api.views import conversation_view, entry_view
from shared.handoff.machine import Decision, decide
from shared.handoff.policy import Policy
from shared.handoff.visibility import KEPT_BYTES, KEPT_KEYS, captured, merge, project, seen_by
from shared.schemas.commands import Publish
from shared.schemas.conversation import Conversation
from shared.schemas.events import VariablesCaptured
from shared.schemas.variables import Audience, Provenance, SessionVariable, Variable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SIGNED, CLAIMED = (
    Provenance(signed=True),
    Provenance(signed=False, agent="jane", origin="https://adapter.test"),
)
EVENT, AGENT, COMMENT = Audience
REFERENCE = {
    "payload": {
        "key_two": "$session.params.favfood",
        "key_three": "$session.params.budget",
        "key_one": "$session.params.location",
        "key_four": "$session.params.startdate",
        "key_five": "$session.params.enddate",
    },
    "capture_type": ["comment", "agent", "event"],
    "capture_target": "payload",
    "invisible_to_agent": ["key_one", "key_two"],
    "invisible_to_adapter_events": ["key_three", "key_two"],
}


def test_the_reference_payload_is_projected_as_its_page_says() -> None:
    projection = project(SessionVariable.model_validate(REFERENCE))
    assert set(projection.audiences[EVENT]) == {"key_one", "key_four", "key_five"}
    assert set(projection.audiences[AGENT]) == {"key_three", "key_four", "key_five"}
    assert projection.audiences[COMMENT] == projection.audiences[AGENT]
    assert projection.audiences[EVENT]["key_four"] == "$session.params.startdate"
    assert projection.unknown_keys == ()


def test_an_audience_that_is_not_captured_for_sees_nothing() -> None:
    projection = project(
        SessionVariable.model_validate({**REFERENCE, "capture_type": ["agent", "data_parameters"]})
    )
    assert set(projection.audiences) == {AGENT}


def test_an_invisible_key_that_is_not_in_the_payload_is_reported() -> None:
    slips = {
        "invisible_to_agent": ["key_0ne", "key_two"],
        "invisible_to_adapter_events": ["kez", "key_0ne"],
    }
    projection = project(SessionVariable.model_validate({**REFERENCE, **slips}))
    assert projection.unknown_keys == ("key_0ne", "kez")


def variable(
    value: Any = "v",
    key: str = "k",
    seconds: float = 0,
    provenance: Provenance = SIGNED,
    **more: Any,
) -> Variable:
    audiences = more.get("audiences", tuple(Audience))
    return Variable(
        key=key,
        value=value,
        captured_at=NOW + timedelta(seconds=seconds),
        audiences=audiences,
        provenance=provenance,
    )


@pytest.mark.parametrize(
    ("known", "new", "stays"),
    [
        pytest.param(
            variable("old", seconds=-9), variable("new", seconds=-5), "new", id="a later one wins"
        ),
        pytest.param(
            variable("new", seconds=-5),
            variable("old", seconds=-9),
            "new",
            id="a late one does not",
        ),
        pytest.param(
            variable("first"),
            variable("second"),
            "second",
            id="of the same moment the one that came last",
        ),
        pytest.param(
            variable("fact", seconds=-9),
            variable("claim", provenance=CLAIMED),
            "fact",
            id="a claim is no fact",
        ),
        pytest.param(
            variable("claim", provenance=CLAIMED),
            variable("fact", seconds=-9),
            "fact",
            id="a fact is, however old",
        ),
        pytest.param(
            variable("future", seconds=3600),
            variable("now", seconds=1),
            "now",
            id="the future counts as now",
        ),
    ],
)
def test_the_latest_value_of_a_key_stays(known: Variable, new: Variable, stays: str) -> None:
    (kept,) = merge(merge((), [known], NOW), [new], NOW)
    assert kept.value == stays
    assert kept.captured_at <= NOW


def test_the_same_capture_twice_changes_nothing() -> None:
    once = merge((), [variable("a", "a"), variable("b", "b", -5)], NOW)
    assert merge(once, [variable("b", "b", -5)], NOW + timedelta(hours=1)) == once


@given(st.permutations([variable(str(n), "k", -n) for n in range(5)]))
def test_the_order_of_arrival_does_not_matter(arrivals: list[Variable]) -> None:
    known: tuple[Variable, ...] = ()
    for one in arrivals:
        known = merge(known, [one], NOW)
    assert [one.value for one in known] == ["0"]


def test_a_key_that_is_hidden_from_all_now_hides_what_could_be_seen_before() -> None:
    open_to_all = SessionVariable(payload={"k": "old"}, capture_type=("event", "agent"))
    hidden = SessionVariable(
        payload={"k": "new"},
        capture_type=("event", "agent"),
        invisible_to_agent=("k",),
        invisible_to_adapter_events=("k",),
    )
    known = merge((), captured({"k": "old"}, project(open_to_all), NOW, SIGNED), NOW)
    known = merge(known, captured({"k": "new"}, project(hidden), NOW, SIGNED), NOW)
    assert [seen_by(audience, known) for audience in Audience] == [{}, {}, {}]
    assert "new" not in known[0].model_dump_json()


def test_claims_cannot_fill_the_record_and_facts_stay() -> None:
    known = merge((), [variable("fact", "fact", -9)], NOW)
    for number in range(12):
        flood = [variable("x" * 1000, f"{number}-{one}", number, CLAIMED) for one in range(60)]
        known = merge(known, flood, NOW + timedelta(hours=1))
    assert len(known) <= KEPT_KEYS
    assert sum(len(one.model_dump_json()) for one in known) <= KEPT_BYTES
    assert "fact" in seen_by(EVENT, known)
    assert "11-59" in seen_by(EVENT, known)
    assert "0-0" not in seen_by(EVENT, known)


def test_only_what_is_the_latest_now_is_published() -> None:
    known = happens(Conversation(id="ccai:chat-1", address="1"), variable("new", "k")).conversation
    late = happens(known, variable("old", "k", -60), variable("other", "o", -60))
    assert [body["variables"] for body in published(late)] == [{"o": "other"}]
    claim = happens(known, variable("claim", "k", 5, CLAIMED))
    assert published(claim) == []


def happens(conversation: Conversation, *variables: Variable) -> Decision:
    event = VariablesCaptured(id="1", source=conversation.id, actor="test", variables=variables)
    return decide(conversation, event, NOW, Policy())


def published(decision: Decision) -> list[Any]:
    return [command.body for command in decision.commands if isinstance(command, Publish)]


# Every key and value is a word that occurs nowhere else, so that a word which is found has leaked.
values = st.recursive(
    st.uuids().map(lambda one: f"value-{one.hex}"),
    lambda inside: (
        st.lists(inside, min_size=1, max_size=3)
        | st.dictionaries(st.uuids().map(str), inside, max_size=2)
    ),
    max_leaves=4,
)
payloads = st.dictionaries(st.uuids().map(lambda one: f"key-{one.hex}"), values, max_size=6)


@st.composite
def declared(draw: st.DrawFn) -> SessionVariable:
    payload = draw(payloads)
    keys = st.lists(st.sampled_from(sorted(payload)), max_size=6) if payload else st.just([])
    types = st.lists(
        st.sampled_from(("event", "agent", "comment", "data_parameters")), min_size=1, max_size=4
    )
    fields = {
        "capture_type": draw(types),
        "invisible_to_agent": draw(keys),
        "invisible_to_adapter_events": draw(keys),
    }
    return SessionVariable.model_validate({"payload": payload, **fields})


def words(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(words, value.values())) if value else set()
    return set().union(*map(words, value)) if isinstance(value, list) else {value}


def hidden_from(audience: Audience, one: SessionVariable) -> set[str]:
    """Returns every word of what this audience may not see, by the page's own rules."""
    assert one.payload is not None
    lists = {EVENT: one.invisible_to_adapter_events}
    closed = (
        set(one.payload)
        if audience.value not in one.capture_type
        else set(lists.get(audience, one.invisible_to_agent))
    )
    return set().union(*(words({key: one.payload[key]}) for key in closed)) if closed else set()


@given(first=declared(), second=declared(), signed=st.booleans())
def test_nothing_hidden_is_in_any_output_for_its_audience(
    first: SessionVariable, second: SessionVariable, signed: bool
) -> None:
    conversation, provenance = (
        Conversation(id="ccai:chat-1", address="1"),
        SIGNED if signed else CLAIMED,
    )
    bodies: list[Any] = []
    for one in (first, second):
        decision = happens(
            conversation, *captured(one.payload or {}, project(one), NOW, provenance)
        )
        conversation = decision.conversation
        bodies += published(decision)
    outputs = {
        EVENT: json.dumps(bodies) + json.dumps(seen_by(EVENT, conversation.variables)),
        AGENT: json.dumps(conversation_view(conversation, 0, agent=True)),
        COMMENT: json.dumps(seen_by(COMMENT, conversation.variables)),
    }
    for audience, output in outputs.items():
        secrets = hidden_from(audience, first) | hidden_from(audience, second)
        assert not [word for word in secrets if word in output]
    nobody = set.intersection(*(hidden_from(audience, first) for audience in Audience))
    assert not [
        word
        for word in nobody
        if word.startswith("value-") and word in conversation.model_dump_json()
    ]


@given(declared())
def test_an_audience_that_may_see_a_key_sees_it(one: SessionVariable) -> None:
    known = merge((), captured(one.payload or {}, project(one), NOW, SIGNED), NOW)
    for audience in Audience:
        visible = set(one.payload or {}) - hidden_from(audience, one)
        assert set(seen_by(audience, known)) == visible


def test_the_journal_shows_no_body_of_a_publication() -> None:
    from shared.schemas.journal import JournalEntry, Verdict

    decision = happens(
        Conversation(id="ccai:chat-1", address="1"), variable("s3cret", "s3cret-key")
    )
    entry = JournalEntry(
        id="e", conversation="ccai:chat-1", seq=1, time=NOW, kind="variables_captured",
        source="ccai:chat-1",
        verdict=Verdict.ACCEPTED, nonce="n", commands=decision.commands,
    )  # fmt: skip
    assert published(decision)
    assert "s3cret" not in json.dumps(entry_view(entry))
