"""The threads of a vendor that a local run simulates, and what people do in them."""

import json
from dataclasses import dataclass
from typing import Any

from infra.local.server import LocalServer
from tests.functions.desk import Customer


@dataclass(frozen=True, slots=True)
class Threads:
    server: LocalServer
    kind: str

    def all(self) -> list[str]:
        found: list[str] = self.server.get(f"/sim/{self.kind}/threads")["threads"]
        return found

    def messages(self, thread: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.server.get(f"/sim/{self.kind}/threads/{thread}")[
            "messages"
        ]
        return found

    def acts(self, thread: str, **what: Any) -> int:
        """Returns the status of what somebody does in a thread."""
        raw = json.dumps(what).encode()
        return self.server.send("POST", f"/sim/{self.kind}/threads/{thread}/people", raw).status

    def of(self, customer: Customer) -> str:
        """Returns the thread that is linked to a customer, an empty text if none is."""
        prefix = f"{self.kind}:"
        links = [one for one in customer.state().get("links", []) if one.startswith(prefix)]
        return links[-1].removeprefix(prefix) if links else ""
