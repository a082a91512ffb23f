"""Checks the state of Baton: the API and the queue, waiting commands, who may call which function,
dead letters, the sweep, the alarms.
"""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from infra.deploy.gcloud import Result
from infra.deployables import consumed_topics, dead_letters_of, deployables, function_of, renamed
from infra.doctor.http import Answer, Finding, Patient, broken, ill, skipped, well
from infra.documents.alarms import ALARMS, anchor

SETTLES_SECONDS = 6.0
LOOKS_AT = 20  # the most conversations of each phase that are looked at


def api(one: Patient) -> Iterator[Finding]:
    answer = one.ask("GET", "/send_representative/v1/conversations")
    if answer.status != 401:
        yield one.closed("The API", "api", answer) or ill(
            f"The API answers {answer.status} to a call without a key", "It must be 401."
        )
        return
    yield well("The API answers 401 to a call without a key")
    if one.key is None:
        why = "no key that may speak as HUMAN, or is admin, is in your environment's BATON_API_KEYS"
        yield skipped("The API with a key, the queue and what waits", why)
        return
    answer = one.api("?phase=QUEUED")
    if answer.status == 200:
        yield well("The API accepts your key")
        yield _queue(one, answer.json["conversations"])
        yield from _outbox(one)
    elif answer.status in (401, 403):
        yield ill(
            f"The API does not accept your key ({answer.status})",
            "Your BATON_API_KEYS are not the deployment's.",
        )
    else:
        yield broken("The queue", answer)


def people(one: Patient) -> Iterator[Finding]:
    """Checks that a person gets a session. Nothing is stored for it."""
    path = "/send_representative/v1/session"
    client = one.known.get("BATON_SIGN_IN_CLIENT_ID")
    offered = one.ask("GET", path).json.get("googleClientId")
    if client and offered != client:
        advice = "Deploy send_representative again: its BATON_SIGN_IN_CLIENT_ID is not yours."
        yield ill("People cannot sign in with Google", advice)
    what = "People sign in"
    if one.key_of_person is None:
        why = "no key of a person is in your environment's BATON_API_KEYS"
        yield skipped(f"{what} with a key", why)
        return
    body = json.dumps({"key": one.key_of_person}).encode()
    answer = one.ask("POST", path, body, baton_page="1", content_type="application/json")
    if answer.status == 200:
        yield well(what)
    else:
        yield one.closed(what, "people", answer) or ill(
            f"People cannot sign in ({answer.status} {answer.reason})",
            "Your BATON_API_KEYS or BATON_AGENTS are not the deployment's.",
        )


def _queue(one: Patient, waiting: list[Any]) -> Finding:
    if not waiting:
        return well("No customer waits for a human")
    first = waiting[0]
    seconds = (datetime.now(UTC) - datetime.fromisoformat(first["waitingSince"])).total_seconds()
    said = (
        f"{len(waiting)} customers wait for a human, the longest {seconds:.0f} s ({first['name']})"
    )
    if seconds <= one.longest_wait:
        return well(said)
    return ill(
        said,
        "Is a desk reading baton-handoffs, or polling the queue? :claim takes a conversation over.",
    )


def _outbox(one: Patient) -> Iterator[Finding]:
    """Checks the outbox. A delivery takes a moment; a command that waits longer is blocked."""
    late = _pending(one, _talking(one))
    if late:
        time.sleep(SETTLES_SECONDS)
        late = _pending(one, late)
    for conversation in late:
        why = _why(one, conversation)
        advice = (
            f"The last answer was {why}. "
            if why
            else "Nothing was tried yet: is deliver_outbox called? "
        )
        advice += "The journal of the conversation says what was sent and when it is tried again."
        yield ill(f"Messages of {conversation} wait for delivery", advice)
    if not late:
        yield well(
            "No message waits for delivery in the conversations that wait for a human or have one"
        )


def _talking(one: Patient) -> list[str]:
    pages = [
        one.api(f"?phase={phase}").json.get("conversations", [])[:LOOKS_AT]
        for phase in ("QUEUED", "HUMAN")
    ]
    return [str(found["name"]).removeprefix("conversations/") for page in pages for found in page]


def _pending(one: Patient, conversations: list[str]) -> list[str]:
    return [name for name in conversations if one.api(f"/{name}").json.get("pending", 0)]


def _why(one: Patient, conversation: str) -> str | None:
    entries = one.api(f"/{conversation}/journal").json.get("entries", [])
    commands = [command for entry in entries for command in entry.get("commands", [])]
    return next(
        (
            command["error"]
            for command in commands
            if command["state"] == "pending" and "error" in command
        ),
        None,
    )


def cors(one: Patient) -> Iterator[Finding]:
    what, path = "The bridge of the CRM page", "/forward_variables/"
    foreign = _preflight(one, path, "https://baton-doctor.invalid")
    if "access-control-allow-origin" in foreign.headers:
        yield ill(f"{what} lets any page in", "BRIDGE_ALLOWED_ORIGINS must name your pages only.")
        return
    origin = one.first("BRIDGE_ALLOWED_ORIGINS")
    if shut := one.closed(what, "bridge", foreign):
        yield shut
    elif origin is None:
        yield skipped(f"{what} from your page", "BRIDGE_ALLOWED_ORIGINS is not in your environment")
    else:
        yield _lets_in(one, what, path, origin)


def _lets_in(one: Patient, what: str, path: str, origin: str) -> Finding:
    answer = _preflight(one, path, origin)
    if shut := one.closed(f"{what}, called from {origin}", "bridge", answer):
        return shut
    if answer.headers.get("access-control-allow-origin") == origin and answer.status in (200, 204):
        return well(f"{what} lets {origin} in, and no other page")
    return ill(
        f"{what} does not let {origin} in ({answer.status})",
        "Add it to BRIDGE_ALLOWED_ORIGINS, exactly so.",
    )


def _preflight(one: Patient, path: str, origin: str) -> Answer:
    headers = "authorization,content-type"
    return one.ask(
        "OPTIONS",
        path,
        origin=origin,
        access_control_request_method="POST",
        access_control_request_headers=headers,
    )


def private(one: Patient) -> Iterator[Finding]:
    if one.project is None:
        yield skipped("Whether the private functions are private", "on one machine they are not")
        return
    for name, row in deployables().items():
        if not row.public:
            yield _private(one, name, one.look("POST", f"/{name}", b"{}"))


def _private(one: Patient, name: str, answer: Answer) -> Finding:
    """A call from outside must end at Google's own 403, or at its 404: a function that is closed to
    the internet is answered like one that is not there.
    """
    if answer.function == name or (answer.status < 400 and answer.status):
        service = function_of(name, one.prefix).replace("_", "-")
        advice = (
            f"Close it: gcloud run services update {service} --invoker-iam-check "
            f"--region={one.region}. If allUsers has roles/run.invoker there, take it away."
        )
        return ill(f"{name} can be called by everybody", advice)
    if answer.function or answer.reason:
        return skipped(name, f"something else of Baton answers at {one.address(name)}")
    if answer.status in (403, 404):
        return well(f"{name}: a call from outside is answered {answer.status} by Google")
    said = answer.text if answer.status == 0 else str(answer.status)
    return skipped(f"{name}: whether it can be called from outside", f"the answer was {said}")


def dead_letters(one: Patient) -> Iterator[Finding]:
    if one.project is None:
        yield skipped("Dead letters", "on one machine there are no topics")
        return
    for topic in (renamed(topic, one.prefix) for topic in consumed_topics()):
        words = ("gcloud", "pubsub", "subscriptions", "pull", dead_letters_of(topic), "--limit=1")
        result = one.run(
            (*words, "--format=value(message.messageId)", f"--project={one.project}"), None
        )
        if result.code != 0:
            yield skipped(
                f"Dead letters of {topic}", f"gcloud cannot say ({result.errors.strip()[-200:]})"
            )
        elif result.output.strip():
            advice = (
                f"python -m infra.dead_letters list --prefix {one.prefix}; find out why in the "
                "logs, then: replay --all"
            )
            yield ill(f"There are dead letters of {topic}", advice)
        else:
            yield well(f"No dead letters of {topic}")


def sweep(one: Patient) -> Iterator[Finding]:
    """Checks that Cloud Scheduler calls the sweep, and that its last call succeeded."""
    if one.project is None:
        return
    job, at = renamed("baton-sweep", one.prefix), f"--location={one.region}"
    words = ("gcloud", "scheduler", "jobs", "describe", job, at, "--format=json")
    result = one.run((*words, f"--project={one.project}"), None)
    found = _printed(result)
    if found is None:
        yield skipped("The sweep", f"gcloud cannot say ({result.errors.strip()[-200:]})")
    elif found.get("state") != "ENABLED":
        yield ill(
            f"The sweep is {str(found.get('state', 'not enabled')).lower()}",
            f"Resume it: gcloud scheduler jobs resume {job} {at} --project={one.project}",
        )
    elif found.get("status", {}).get("code"):
        yield ill(
            f"The last call of the sweep failed (code {found['status']['code']})",
            f"Its log says why: gcloud functions logs read {function_of('sweep', one.prefix)} "
            f"--gen2 --region={one.region}",
        )
    else:
        yield well(f"The sweep is enabled, and its last call did not fail{_since(found)}")


def _since(job: dict[str, Any]) -> str:
    last = job.get("lastAttemptTime")
    return f" ({last})" if last else " (it was not called yet)"


def alarms(one: Patient) -> Iterator[Finding]:
    """Checks that every alarm is there and enabled, and names those that ring now."""
    if one.project is None:
        return
    words = ("gcloud", "alpha", "monitoring", "policies", "list", "--format=json")
    there = one.run((*words, f"--project={one.project}"), None)
    policies = _printed(there)
    if policies is None:
        yield skipped("The alarms", f"gcloud cannot say ({there.errors.strip()[-200:]})")
        return
    enabled = {policy["displayName"] for policy in policies if policy.get("enabled", True)}
    alerts = json.loads(ALARMS.read_text())["alerts"].values()
    titles = {renamed(row["title"], one.prefix): anchor(row["title"]) for row in alerts}
    if missing := sorted(titles.keys() - enabled):
        advice = "Deploy again: it makes what is missing. Enable those that are disabled."
        yield ill(f"These alarms are missing or disabled: {'; '.join(missing)}", advice)
    else:
        yield well(f"All {len(titles)} alarms are there and enabled")
    yield from _ringing(one, titles)


def _ringing(one: Patient, titles: Mapping[str, str]) -> Iterator[Finding]:
    path = f"v3/projects/{one.project}/alerts?pageSize=1000"
    listed = one.run(("python", "-m", "infra.deploy.rest", "GET", path), None)
    answer = _printed(listed)
    if answer is None:
        yield skipped("Which alarms ring", f"Google does not say ({listed.errors.strip()[-200:]})")
        return
    open_now = {
        alert.get("policy", {}).get("displayName")
        for alert in answer.get("alerts", [])
        if alert.get("state") == "OPEN"
    }
    for title in sorted(titles.keys() & open_now):
        yield ill(f"This alarm rings: {title}", f"infra/RUNBOOK.md#{titles[title]}")
    if not titles.keys() & open_now:
        yield well("No alarm rings")


def _printed(result: Result) -> Any:
    """Returns the JSON that a command printed, None where it failed."""
    if result.code != 0:
        return None
    try:
        return json.loads(result.output)
    except ValueError:
        return None
