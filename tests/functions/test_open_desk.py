"""An open desk page on a whole run: how soon it sees what customers and colleagues do."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from infra.local.server import LocalServer
from infra.local.talk import Talk
from tests.slowness import slowness

ME = "/send_representative/v1/me"
WITHIN_SECONDS = 1.0
USUAL_SECONDS = 0.1  # a question takes a fifth of it where nothing else runs


class Desk:
    """The page of one person."""

    def __init__(self, server: LocalServer, who: str) -> None:
        self._server, self._who, self._since = server, who, ""

    def ask(self) -> dict[str, Any]:
        """Returns what the page sees once that has changed."""
        path = f"{ME}?since={self._since}&page={self._who}"
        seen: dict[str, Any] = self._server.get(path, f"dev-{self._who}")
        self._since = seen["since"]
        return seen

    def until(self, talk: Talk, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Returns the conversation once it is so. Other tests change what the page sees as well."""
        while True:
            one = of(self.ask(), talk)
            if one is not None and is_so(one):
                return one

    def is_available(self) -> None:
        body = json.dumps({"state": "available", "page": self._who}).encode()
        key = {"authorization": f"Bearer dev-{self._who}"}
        assert self._server.send("PUT", f"{ME}/presence", body, key).status == 200


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def of(seen: dict[str, Any], talk: Talk) -> dict[str, Any] | None:
    name = f"conversations/business_messages:{talk.id}"
    return next((one for one in seen["mine"] if one["name"] == name), None)


def test_words_and_offers_reach_an_open_page_within_a_second(
    server: LocalServer, talk: Talk, threads: ThreadPoolExecutor
) -> None:
    jane, omar = Desk(server, "jane"), Desk(server, "omar")
    jane.is_available()
    omar.is_available()
    within = WITHIN_SECONDS * slowness(talk.state, USUAL_SECONDS)
    assert talk.post(":claim", {}, "dev-jane").status == 200
    before = jane.until(talk, lambda one: bool(one["representatives"]))

    waiting = threads.submit(jane.until, talk, lambda one: one["version"] > before["version"])
    time.sleep(0.2)
    began = time.monotonic()
    talk.customer_says("Are you there?", "m-2")
    waiting.result()
    assert time.monotonic() - began < within

    assert of(omar.ask(), talk) is None
    waiting = threads.submit(omar.until, talk, lambda one: one.get("offer") is not None)
    time.sleep(0.2)
    began = time.monotonic()
    given = {"to": {"agent": "omar@example.com"}, "reason": "billing", "note": "wants a refund"}
    assert talk.post(":transfer", given, "dev-jane").status == 200
    offered = waiting.result()
    assert time.monotonic() - began < within
    assert (offered["offer"]["note"], offered["phase"]) == ("wants a refund", "HUMAN")
    talk.post(":claim", {"offer": offered["offer"]["id"]}, "dev-omar")
    assert talk.post(":release", {}, "dev-omar").status == 200
