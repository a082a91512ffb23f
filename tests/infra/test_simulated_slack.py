"""The simulated workspace keeps what is documented of Slack, by the judgement of Slack's own
client.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.slack import BOT, CHANNEL, PREFIX, SlackSimulator, Upload
from tests.served import Served

SECRET, TOKEN = "dev-slack-secret", "dev-slack-token"


@pytest.fixture
async def slack() -> AsyncIterator[SlackSimulator]:
    simulator = SlackSimulator(PlatformStore(":memory:"), "", SECRET, TOKEN)
    async with Served(simulator) as server:
        simulator.here = server.url
        yield simulator


@pytest.fixture
def client(slack: SlackSimulator) -> AsyncWebClient:
    return AsyncWebClient(TOKEN, base_url=f"{slack.here}{PREFIX}/api/")


def told(slack: SlackSimulator) -> list[dict[str, Any]]:
    """Returns what the workspace reports to the app, and forgets it."""
    found = [(seq, json.loads(body)) for seq, body in slack.store.webhooks(100)]
    for seq, _ in found:
        slack.store.delivered(seq)
    return [body for _, body in found]


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_slacks_client_knows_who_it_is_and_what_it_may(client: AsyncWebClient) -> None:
    told = await client.auth_test()
    assert told["bot_id"] == BOT
    assert "chat:write.customize" in told.headers["x-oauth-scopes"].split(",")
    stranger = AsyncWebClient("guess", base_url=client.base_url)
    assert await refused(stranger.auth_test()) == "invalid_auth"


async def test_a_scope_that_is_not_granted_is_named(
    slack: SlackSimulator, client: AsyncWebClient
) -> None:
    slack.scopes = ("channels:history",)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=CHANNEL, text="hi")
    assert caught.value.response.data["error"] == "missing_scope"
    assert caught.value.response.data["needed"] == "chat:write"


async def test_messages_threads_and_metadata(client: AsyncWebClient) -> None:
    metadata = {"event_type": "x", "event_payload": {"handoff": "h-1"}}
    root = await client.chat_postMessage(channel=CHANNEL, text="root", metadata=metadata)
    below = await client.chat_postMessage(channel=CHANNEL, text="below", thread_ts=root["ts"])
    await client.chat_postMessage(channel=CHANNEL, text="later")
    found = await client.conversations_history(channel=CHANNEL, include_all_metadata=True)
    assert [one["text"] for one in found["messages"]] == ["later", "root"]
    assert found["messages"][1]["metadata"] == metadata
    plain = await client.conversations_history(channel=CHANNEL, latest=root["ts"], inclusive=True)
    assert [set(one) & {"metadata"} for one in plain["messages"]] == [set()]
    replies = await client.conversations_replies(channel=CHANNEL, ts=root["ts"])
    assert [one["ts"] for one in replies["messages"]] == [root["ts"], below["ts"]]
    first = await client.conversations_history(channel=CHANNEL, limit=1)
    cursor = first["response_metadata"]["next_cursor"]
    rest = await client.conversations_history(channel=CHANNEL, limit=1, cursor=cursor)
    assert [one["text"] for one in rest["messages"]] == ["root"]
    assert not rest["has_more"]


async def test_changes_keep_what_is_not_given_and_other_apps_messages_are_not_changed(
    slack: SlackSimulator, client: AsyncWebClient
) -> None:
    metadata = {"event_type": "x", "event_payload": {}}
    blocks = [{"type": "divider"}]
    sent = await client.chat_postMessage(
        channel=CHANNEL, text="a", blocks=blocks, metadata=metadata
    )
    await client.chat_update(channel=CHANNEL, ts=sent["ts"], text="b")
    found = await client.conversations_history(channel=CHANNEL, include_all_metadata=True)
    (message,) = found["messages"]
    assert (message["text"], message["metadata"], "blocks" in message) == ("b", metadata, False)
    long = client.chat_update(channel=CHANNEL, ts=sent["ts"], text="x" * 4001)
    assert await refused(long) == "msg_too_long"
    theirs = slack.write(f"{CHANNEL}-{sent['ts']}", slack.add("Jane"), "mine")
    update = client.chat_update(channel=CHANNEL, ts=theirs, text="b")
    assert await refused(update) == "cant_update_message"
    assert await refused(client.chat_delete(channel=CHANNEL, ts=theirs)) == "cant_delete_message"
    await client.chat_delete(channel=CHANNEL, ts=sent["ts"])
    again = client.chat_delete(channel=CHANNEL, ts=sent["ts"])
    assert await refused(again) == "message_not_found"


async def test_what_is_gone_is_refused(slack: SlackSimulator, client: AsyncWebClient) -> None:
    gone = client.chat_postMessage(channel=CHANNEL, text="x", thread_ts="1.000001")
    assert await refused(gone) == "thread_not_found"
    nowhere = client.chat_postMessage(channel="C0NOWHERE", text="x")
    assert await refused(nowhere) == "channel_not_found"
    slack.channels[CHANNEL].is_archived = True
    assert await refused(client.chat_postMessage(channel=CHANNEL, text="x")) == "is_archived"


async def test_too_many_messages_are_refused_with_a_pause(
    slack: SlackSimulator, client: AsyncWebClient
) -> None:
    with pytest.raises(SlackApiError) as caught:
        for _ in range(20):
            await client.chat_postMessage(channel=CHANNEL, text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["retry-after"] == "1"


async def test_slacks_client_uploads_a_file(slack: SlackSimulator, client: AsyncWebClient) -> None:
    root = await client.chat_postMessage(channel=CHANNEL, text="root")
    await client.files_upload_v2(
        channel=CHANNEL,
        thread_ts=root["ts"],
        content="hello",
        filename="a.txt",
        initial_comment="look",
    )
    _, message = slack.messages(f"{CHANNEL}-{root['ts']}")
    assert (message["text"], message["files"][0]["name"]) == ("look", "a.txt")
    known = await client.files_info(file=message["files"][0]["id"])
    url = known["file"]["url_private_download"]
    session = await client._request(  # the client has no call of its own for this
        http_verb="GET", api_url=url, req_args={"headers": {"authorization": f"Bearer {TOKEN}"}}
    )
    assert session["status_code"] == 200


async def test_what_people_do_is_reported_and_signed_as_slack_does(
    slack: SlackSimulator, client: AsyncWebClient
) -> None:
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    blocks = [{"type": "actions", "block_id": "b", "elements": [button]}]
    root = await client.chat_postMessage(channel=CHANNEL, text="root", blocks=blocks)
    thread, jane = f"{CHANNEL}-{root['ts']}", slack.add("Jane", "jane@example.com")
    (own,) = told(slack)
    assert own["event"]["bot_id"] == BOT
    ts = slack.write(thread, jane, "a < b", files=[Upload("F1", "a.txt", 5, b"hello")])
    slack.edit(CHANNEL, ts, "a > b")
    slack.remove(CHANNEL, ts)
    said, changed, removed = told(slack)
    assert (said["event"]["text"], said["event"]["thread_ts"]) == ("a &lt; b", root["ts"])
    assert said["event"]["files"][0]["name"] == "a.txt"
    assert changed["event"]["message"]["text"] == "a &gt; b"
    assert changed["event"]["previous_message"]["text"] == "a &lt; b"
    assert removed["event"]["deleted_ts"] == ts
    assert len({one["event_id"] for one in (own, said, changed, removed)}) == 4
    assert slack.press(thread, jane, "go")
    assert not slack.press(thread, jane, "stay")
    (pressed,) = told(slack)
    assert pressed["actions"][0]["action_id"] == "go"
    assert pressed["container"]["message_ts"] == root["ts"]
    body = json.dumps(said).encode()
    assert SignatureVerifier(SECRET).is_valid_request(body, dict(slack.signed(body)))
    person = await client.users_info(user=jane)
    assert person["user"]["profile"]["email"] == "jane@example.com"
    assert await refused(client.users_info(user="U9")) == "user_not_found"
