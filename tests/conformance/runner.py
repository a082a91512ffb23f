"""Runs vectors: each in a conversation of its own, side by side, and those with a restart alone."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance import oracle
from tests.conformance.layer import Answer, Layer
from tests.conformance.oracle import Finding
from tests.conformance.phone import Phone

VECTORS = Path(__file__).parent / "vectors"
SETTLE_SECONDS = 0.5  # for what must not be shown
AT_ONCE = 16


@dataclass(frozen=True)
class Abilities:
    """What the operator says of the layer. Vectors that need more are left out."""

    unclaimed_after: float | None = None
    idle_after: float | None = None
    claim: bool = False
    restart: Callable[[], None] | None = None

    def has(self, need: str) -> bool:
        return getattr(self, need) not in (None, False)


@dataclass
class Run:
    """One vector at work."""

    vector: Mapping[str, Any]
    layer: Layer
    phone: Phone
    abilities: Abilities
    conversation: str
    said: dict[str, Mapping[str, str]] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    found: list[tuple[str, str, str]] = field(default_factory=list)

    def play(self) -> list[Finding]:
        for step in self.vector["steps"]:
            self._step(step)
        expected = self.vector["shown"]
        self.phone.wait(
            self.conversation, lambda rows: self._covers(rows, expected), self.layer.patience
        )
        time.sleep(SETTLE_SECONDS)
        shown = self.phone.shown(self.conversation)
        seen = [oracle.named(row, self.layer.names) for row in shown]
        self.found += oracle.violations(shown, self.layer.names)
        self.found += oracle.mislabelled(shown, self.said)
        if self.vector.get("joins") == 1:
            self._one_joined(seen)
        else:
            self.found += oracle.differences(expected, seen, self.accepted)
            odd = {line for _, line, _ in self.found}
            self.found += oracle.disorder(expected, seen, odd)
        name = self.vector["name"]
        return sorted({Finding(kind, name, f"{line}: {what}") for kind, line, what in self.found})

    def _one_joined(self, seen: Sequence[str]) -> None:
        joined = sorted({one for one in seen if one.endswith(" joined")})
        if len(joined) != 1:
            self.found.append((oracle.CLAIMS, ", ".join(joined) or "unknown", "holds"))

    def _covers(self, rows: Sequence[Mapping[str, Any]], expected: Iterable[str]) -> bool:
        seen = [oracle.named(row, self.layer.names) for row in rows]
        if self.vector.get("joins"):
            return any(one.endswith(" joined") for one in seen)
        return all(seen.count(one) >= list(expected).count(one) for one in expected)

    def _step(self, step: Mapping[str, Any]) -> None:
        if "together" in step:
            self._together(step)
        elif "phone" in step:
            self.phone.fail(self.conversation, **step["phone"])
        elif "wait" in step:
            self._wait(step)
        elif "pause" in step:
            time.sleep(step["pause"])
        elif "restart" in step:
            assert self.abilities.restart is not None
            self.abilities.restart()
        elif "door" in step:
            self._door(step)
        else:
            self._expect(step, self._act(step))

    def _act(self, step: Mapping[str, Any]) -> Answer:
        (actor,) = {"customer", *self.layer.names} & set(step)
        deed, identifier = step[actor], step["id"]
        text = f"conformance {step.get('text', identifier)}"
        unique = f"{self.conversation}-{identifier}"
        if actor == "customer":
            reports: dict[str, dict[str, Any]] = {
                "says": {"message": {"messageId": unique, "name": unique, "text": text}},
                "asks": {"userStatus": {"requestedLiveAgent": True}},
            }
            return self.layer.customer(self.conversation, unique, reports[deed])
        if deed == "says":
            self.said[text] = self.layer.representative(actor)
            return self.layer.says(self.conversation, actor, unique, text)
        if deed == "claims":
            return self.layer.claims(self.conversation, actor)
        kind = {"joins": "REPRESENTATIVE_JOINED", "leaves": "REPRESENTATIVE_LEFT"}[deed]
        return self.layer.event(self.conversation, actor, unique, kind)

    def _expect(self, step: Mapping[str, Any], answer: Answer) -> None:
        expected = step.get("expect", "accepted")
        allowed = {
            "accepted": ("accepted",),
            "refused": ("refused",),
            "repeated": ("accepted", "repeated"),  # either tells the caller that it is done
        }[expected]
        if answer.verdict not in allowed:
            words = f"was answered {answer.status} {answer.error}, not {expected}"
            self.found.append((self._blamed(step), _words(step), words))
        elif expected != "refused" and "says" in step.values():
            self.accepted |= {
                f"{actor} {step['id']}" for actor in self.layer.names if actor in step
            }

    def _blamed(self, step: Mapping[str, Any]) -> str:
        return str(step.get("invariant", self.vector["invariant"]))

    def _together(self, step: Mapping[str, Any]) -> None:
        every = [one for one in step["together"] for _ in range(step.get("times", 1))]
        if step.get("distinct"):
            every = [{**one, "id": f"{one['id']}-{n}"} for n, one in enumerate(every)]
        start = threading.Barrier(len(every))

        def at_once(one: Mapping[str, Any]) -> Answer:
            start.wait()
            return self._act(one)

        with ThreadPoolExecutor(len(every)) as pool:
            answers = list(pool.map(at_once, every))
        won = sum(answer.verdict == "accepted" for answer in answers)
        if step.get("one") and won != 1:
            words = f"of {len(every)} at once were accepted"
            self.found.append((oracle.CLAIMS, str(won), words))
        if not step.get("one"):
            for one, answer in zip(every, answers, strict=True):
                self._expect(one, answer)

    def _wait(self, step: Mapping[str, Any]) -> None:
        after = getattr(self.abilities, step["after"]) if "after" in step else 0.0
        line, names = step["wait"], self.layer.names
        is_shown = self.phone.wait(
            self.conversation,
            lambda rows: line in [oracle.named(row, names) for row in rows],
            after + self.layer.patience,
        )
        if not is_shown:
            self.found.append((self._blamed(step), line, "never came"))

    def _door(self, step: Mapping[str, Any]) -> None:
        text = {"messageId": f"{self.conversation}-door", "text": "conformance door"}
        if step["door"] == "webhook":
            body = self.layer.reported(self.conversation, "door", {"message": text})
            signature = {"wrong": self.layer.signature(body + b" "), "none": None}[step["key"]]
            answer = self.layer.at_webhook(body, signature)
        else:
            keys = {**self.layer.keys, "wrong": "no-such-key", "none": None}
            said = {**text, "representative": self.layer.representative(step["as"])}
            where = self.conversation + ("-unknown" if step.get("unknown") else "")
            answer = self.layer.at_api(where, said, keys[step["key"]])
        if answer.status not in step["status"]:
            words = f"was answered {answer.status}, not {step['status']}"
            self.found.append((oracle.DOORS, _words(step), words))


def vectors(folder: Path = VECTORS) -> list[dict[str, Any]]:
    return [one for path in sorted(folder.glob("*.json")) for one in json.loads(path.read_text())]


def usable(known: Iterable[Mapping[str, Any]], abilities: Abilities) -> list[Mapping[str, Any]]:
    return [one for one in known if all(map(abilities.has, one.get("needs", ())))]


def run(
    chosen: Sequence[Mapping[str, Any]],
    layer: Layer,
    phone: Phone,
    abilities: Abilities,
    prefix: str,
) -> list[Finding]:
    """Returns what does not hold. `prefix` makes the conversations of this run new ones."""

    def play(vector: Mapping[str, Any]) -> list[Finding]:
        name = f"{prefix}--{vector['name']}"
        return Run(vector, layer, phone, abilities, name).play()

    alone = [one for one in chosen if "restart" in one.get("needs", ())]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(play, [one for one in chosen if one not in alone]))
    return [one for each in [*found, *map(play, alone)] for one in each]


def _words(step: Mapping[str, Any]) -> str:
    return json.dumps({name: one for name, one in step.items() if name != "expect"})
