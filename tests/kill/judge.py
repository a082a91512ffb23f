"""Judges a handoff by what the desk's own side has stored and what the customer's phone shows."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local import oracle
from tests.functions.desk import Customer
from tests.kill.people import PEOPLE

FILE = "[image]"  # begins the journal's words for a picture
TAP = "Talk to a person"  # the suggestion by which the simulated phones ask
Said = tuple[str, str]  # a name, and words


@dataclass(frozen=True, slots=True)
class Stored:
    """What the desk's own side has stored of one customer's chats.

    `said`: what people said there, under the names that the customer is to see. `heard`: the
    customer's words, and `pictures`, how many of theirs are there. `present`: who has the customer
    now, by the names that the customer is to see.
    """

    said: Sequence[Said]
    heard: Sequence[str]
    pictures: int
    present: Sequence[str]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be wrong. `lost`: what people said may not have been reported to Baton, as by a
    homeserver that was killed. `late`: it may have been reported again later, after other words.
    `once`: the desk recognises no id of Baton's, so that the customer's words may be missing of
    which the journal says that it is unknown whether they arrived.
    """

    lost: bool = False
    late: bool = False
    once: bool = False


STRICT = Allowed()


def faults(customer: Customer, stored: Stored, allowed: Allowed = STRICT) -> list[str]:
    """Returns what is wrong between the phone and these chats, which are all of the customer's.
    Nothing may be under way.
    """
    journal, rows = customer.journal(), customer.rows()
    shown = _labelled(customer, rows)
    accepted = _accepted(customer, journal)
    words = [text for text in accepted if not text.startswith(FILE)]
    found = [*oracle.violations(shown, words), *_files(rows, accepted)]
    present, seen = sorted(stored.present), oracle.open_frames(shown)
    if seen != present:
        found.append(f"I1: the phone shows {seen}, {present} have the customer at the desk")
    wrote = wrote_on(rows)
    unsure = _unsure(journal, "user_message") if allowed.once else []
    return [
        *found,
        *_one_way(stored.said, shown, journal, customer, allowed),
        *one_way(wrote, stored.heard, unsure=unsure),
        *_pictures(rows, stored.pictures, sum(one not in wrote for one in unsure)),
    ]


def one_way(
    wrote: Sequence[Any],
    shown: Sequence[Any],
    *,
    lost: bool = False,
    late: bool = False,
    unsure: Collection[Any] = (),
) -> list[str]:
    """What was written on one side is shown on the other once, and in its order."""
    got, rest = [one for one in shown if one in set(wrote)], iter(wrote)
    missing = Counter(one for one in wrote if one not in unsure) - Counter(got)
    is_doubled, in_order = Counter(got) - Counter(wrote), all(one in rest for one in got)
    if not is_doubled and (lost or (not missing and (late or in_order))):
        return []
    return [f"I4: {wrote} was written, {got} is shown"]


def wrote_on(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the customer's words since they asked for a person, as their phone shows them now."""
    found = dict[str, str]()
    for row in _since_asked(rows):
        body = row["body"]
        if row["kind"] == "message" and body.get("text") not in ("", TAP):
            found[row["id"]] = body["text"]
        elif row["kind"] == "edit":
            found[body["of"]] = body["text"]
        elif row["kind"] == "revoke":
            del found[body["of"]]
    return list(found.values())


def _since_asked(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    asked = next(row["seq"] for row in rows if row["kind"] == "status")
    return [row for row in rows if row["side"] == "customer" and row["seq"] >= asked]


def _one_way(
    said: Sequence[Said],
    shown: Sequence[oracle.Row],
    journal: Sequence[Mapping[str, Any]],
    customer: Customer,
    allowed: Allowed,
) -> list[str]:
    """What people said reaches the phone, under their names. WhatsApp recognises no id of Baton's
    either.
    """
    unknown = _unsure(journal, "human_message") if customer.platform == "whatsapp" else []
    unsure = [one for one in said if one[1] in unknown]
    return one_way(said, _spoken(shown), lost=allowed.lost, late=allowed.late, unsure=unsure)


def _spoken(shown: Sequence[oracle.Row]) -> list[Said]:
    """Returns what humans said on the phone, with the names that it shows."""
    return [
        (row["body"]["representative"].get("displayName") or "", row["body"]["text"])
        for row in shown
        if row["side"] == "business"
        and row["kind"] == "message"
        and row["body"].get("text")
        and (row["body"].get("representative") or {}).get("representativeType") == "HUMAN"
    ]


def _labelled(customer: Customer, rows: Sequence[oracle.Row]) -> Sequence[oracle.Row]:
    """Returns what the phone shows with who spoke. A file without words follows a message with its
    sender's name, where the channel has no labels.
    """
    if customer.platform == "business_messages":
        return rows
    worded = [row for row in rows if row["body"].get("text") or "files" not in row["body"]]
    return oracle.as_labelled(worded, list(PEOPLE.values()))


def _accepted(customer: Customer, journal: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns what Baton took of humans and bots, in that order, without what a channel that
    recognises no id may have shown and is not asked again to show.
    """
    return [
        entry["text"]
        for entry in journal
        if entry["kind"] in ("human_message", "bot_message")
        and entry["verdict"] == "accepted"
        and not (customer.platform == "whatsapp" and entry["outcome"] == "unknown")
    ]


def _unsure(journal: Sequence[Mapping[str, Any]], kind: str) -> list[str]:
    """Returns the words of which it is unknown whether they arrived."""
    known = (one for one in journal if one["kind"] == kind)
    return [one["text"] for one in known if one["outcome"] == "unknown"]


def _files(rows: Sequence[Mapping[str, Any]], accepted: Sequence[str]) -> list[str]:
    """Each file that Baton took is shown once."""
    shown = sum(len(row["body"].get("files", ())) for row in rows if row["side"] == "business")
    taken = sum(text.startswith(FILE) for text in accepted)
    return [] if shown == taken else [f"I4: {taken} files were accepted, {shown} are shown"]


def _pictures(rows: Sequence[Mapping[str, Any]], seen: int, unsure: int) -> list[str]:
    """Each picture of the customer's since they asked for a person is in the chats once. Of
    `unsure` pictures it is unknown whether they arrived.
    """
    sent = sum(bool(row["body"].get("files")) for row in _since_asked(rows))
    if sent - unsure <= seen <= sent:
        return []
    return [f"I4: the customer sent {sent} pictures, {seen} are in the chats"]
