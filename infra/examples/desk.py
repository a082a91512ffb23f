"""A desk in a terminal: lists waiting customers, takes the next one, and sends what you type.

Start `make run`, and in another terminal: python infra/examples/desk.py "Jane Doe"
"""

import json
import os
import sys
import urllib.parse
import urllib.request
import uuid

API = os.environ.get("BATON_API", "http://127.0.0.1:8080/send_representative") + "/v1/conversations"
KEY = os.environ.get("BATON_KEY", "dev-agent")  # a key of BATON_API_KEYS that may speak as HUMAN
ME = {
    "representativeType": "HUMAN",
    "displayName": sys.argv[1] if len(sys.argv) > 1 else "Jane Doe",
}


def call(path: str, body: dict[str, object] | None = None) -> dict[str, list[dict[str, str]]]:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(API + path, data, headers)) as answer:
        shown: dict[str, list[dict[str, str]]] = json.load(answer)
        return shown


waiting = call("?phase=QUEUED")["conversations"]
if not waiting:
    sys.exit("No customer waits.")
customer = waiting[0]["name"].removeprefix("conversations/")
here = "/" + urllib.parse.quote(customer, safe="")
call(f"{here}:claim", {"representative": ME, "requestId": uuid.uuid4().hex})
for entry in call(f"{here}/journal")["entries"]:
    if "text" in entry:
        print(f"{entry['kind']:>15}: {entry['text']}")
print(f"You have {customer}. Type a line to answer; an empty line ends the handoff.")
while line := sys.stdin.readline().strip():
    call(f"{here}/messages", {"messageId": uuid.uuid4().hex, "text": line, "representative": ME})
call(f"{here}:release", {"representative": ME, "reason": "done"})
