"""bridge.js in a real browser between three real origins: what it hears, forwards and drops."""

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from infra.local.server import LocalServer
from tests.browser.crm import JOINED, LEFT, RECEIVED, VARIABLES, Crm, Tab, ids, posts_to_baton


def test_the_three_events_arrive_once_and_in_order(tab: Tab) -> None:
    tab.post(tab.event(JOINED), tab.event(RECEIVED), tab.event(LEFT, finish_reason="done"))
    tab.settled()
    tab.arrived("virtual_agent_joined", VARIABLES, "virtual_agent_left", VARIABLES)
    tab.run.wait_until(lambda: tab.published()[-1:] == [{"city": "Oslo"}])
    assert tab.errors() == []


def test_the_page_itself_hears_of_them_and_may_act(tab: Tab) -> None:
    tab.post(tab.event(JOINED), tab.event(RECEIVED), tab.event(LEFT))
    tab.until("heard.length === 4")
    tab.settled()
    virtual_agent, variables = "baton:virtual-agent", "baton:variables"
    heard = [
        [virtual_agent, JOINED],
        [variables, RECEIVED],
        [virtual_agent, LEFT],
        [variables, LEFT],
    ]
    assert tab.page.evaluate("heard") == heard


def test_an_event_may_come_as_text(tab: Tab) -> None:
    tab.post(json.dumps(tab.event()))
    tab.settled()
    tab.arrived(VARIABLES)


def test_it_works_as_an_import_too(context: BrowserContext, crm: Crm, run: LocalServer) -> None:
    tab = Tab.open(context, crm, run, query="/?import")
    tab.page.evaluate("delete globalThis.BatonBridge")
    tab.page.evaluate(
        "async url => { await import(url); window.bridge = begin(); }", f"{crm.endpoint}/bridge.js"
    )
    tab.post(tab.event())
    tab.settled()
    tab.arrived(VARIABLES)


@pytest.mark.parametrize("frame", ["stranger", "double"])
def test_what_another_origin_or_another_frame_posts_is_ignored(tab: Tab, frame: str) -> None:
    tab.post(tab.event(), frame=frame)
    tab.until("bridge.ignored() === 1")
    assert_nothing_happened(tab)


def test_what_the_page_posts_to_itself_is_ignored(tab: Tab) -> None:
    tab.page.evaluate("message => postMessage(message, '*')", tab.event())
    tab.until("bridge.ignored() === 1")
    assert_nothing_happened(tab)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"type": "Task_Call_Ended", "data": {"chat_id": 1}}, id="another type"),
        pytest.param({"type": "toString", "data": {}}, id="a type of every object"),
        pytest.param({"type": RECEIVED, "data": "text"}, id="text for data"),
        pytest.param({"type": RECEIVED, "data": [1]}, id="a list for data"),
        pytest.param({"type": RECEIVED}, id="no data"),
        pytest.param("{not JSON", id="no JSON"),
        pytest.param("null", id="null"),
        pytest.param(7, id="a number"),
    ],
)
def test_what_is_no_event_of_a_virtual_agent_is_ignored(tab: Tab, message: Any) -> None:
    tab.post(message)
    tab.until("bridge.ignored() === 1")
    assert_nothing_happened(tab)


def assert_nothing_happened(tab: Tab) -> None:
    assert tab.page.evaluate("[bridge.pending(), heard.length, sent.length, errors.length]") == [
        0,
        0,
        0,
        0,
    ]
    assert tab.kinds() == []


def test_an_event_that_is_too_large_is_dropped_and_said_so(tab: Tab) -> None:
    tab.post(tab.event(queue_path="p" * 70_000), tab.event())
    tab.settled()
    tab.arrived(VARIABLES)
    (error,) = tab.errors()
    assert (error["reason"], error["retrying"], len(error["ids"])) == ("too-large", False, 1)


def test_what_baton_refuses_is_dropped_and_takes_nothing_with_it(tab: Tab) -> None:
    tab.post(tab.event(call_id=7), tab.event())
    tab.settled()
    tab.arrived(VARIABLES)
    (error,) = tab.errors()
    assert (error["reason"], error["retrying"], len(error["ids"])) == ("refused", False, 1)


def test_the_page_hears_which_field_baton_could_not_read(tab: Tab) -> None:
    left = tab.event("Task_VA_Left", captured_variables={"s3cret": 1})
    tab.post(tab.event(chat_id="s3cret"), left, tab.event(campaign_id="7"))
    tab.settled()
    tab.arrived("virtual_agent_left", VARIABLES)
    refused, incomplete = sorted(tab.errors(), key=lambda error: str(error["reason"]), reverse=True)
    assert (refused["reason"], refused["field"], len(refused["ids"])) == ("refused", "chat_id", 1)
    assert "whole number" in refused["message"]
    assert (incomplete["reason"], incomplete["field"]) == ("incomplete", "captured_variables")
    assert incomplete["retrying"] is False and "s3cret" not in str(tab.errors())


def test_what_baton_refuses_without_its_id_is_dropped_alone(
    tab: Tab, context: BrowserContext, crm: Crm
) -> None:
    """What is refused for good must not come again and again, nor hold up what stands behind it."""
    nameless = {"accepted": [], "refused": [{"id": None, "reason": "schema"}]}

    def refuses(route: Route) -> None:
        headers = {"access-control-allow-origin": crm.url}
        route.fulfill(status=200, headers=headers, body=json.dumps(nameless))

    bodies = posts_to_baton(context, crm, 503, refuses, refuses)
    tab.post(tab.event(JOINED), tab.event(JOINED, timestamp="2"))
    tab.until("bridge.pending() === 0 && sent.length === 1")
    assert [len(ids(body)) for body in bodies][1:] == [2, 1, 1]
    assert [error["reason"] for error in tab.errors()] == ["http-503", "refused"]


def test_a_batch_that_baton_cannot_read_is_taken_apart(
    tab: Tab, context: BrowserContext, crm: Crm
) -> None:
    """After a failure all three wait, however the first try found them."""
    bodies = posts_to_baton(context, crm, 503, 400, 400)
    tab.post(tab.event(JOINED), tab.event(JOINED, timestamp="2"), tab.event(JOINED, timestamp="3"))
    tab.until("bridge.pending() === 0 && sent.length === 2")
    assert [len(ids(body)) for body in bodies][1:] == [3, 1, 1, 1]
    assert [error["reason"] for error in tab.errors()] == ["http-503", "http-400"]


def test_a_policy_that_forbids_asking_baton_is_told_and_loses_nothing(
    context: BrowserContext, crm: Crm, run: LocalServer
) -> None:
    crm.connects = False
    tab = Tab.open(context, crm, run)
    crm.connects = True
    tab.post(tab.event())
    tab.until("errors.some(({reason, retrying}) => reason === 'unreachable' && retrying)")
    assert tab.page.evaluate("bridge.pending()") == 1
    tab.page.reload()
    tab.settled()
    tab.arrived(VARIABLES)


def test_a_browser_that_stores_nothing_says_so_and_sends_all_the_same(
    context: BrowserContext, crm: Crm, run: LocalServer
) -> None:
    context.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); };")
    tab = Tab.open(context, crm, run)
    tab.post(tab.event())
    tab.until("sent.length === 1 && bridge.pending() === 0")
    assert [error["reason"] for error in tab.errors()] == ["not-stored"]
    tab.arrived(VARIABLES)


def test_what_has_waited_for_a_day_is_dropped_and_said_so(tab: Tab, crm: Crm) -> None:
    old = f"baton-bridge {crm.endpoint} 1700000000000-000001-{'a' * 32}"
    tab.page.evaluate("key => localStorage.setItem(key, '{}')", old)
    tab.post(tab.event())
    tab.settled()
    assert [(error["reason"], error["ids"]) for error in tab.errors()] == [("expired", ["a" * 32])]
    assert tab.page.evaluate("localStorage.length") == 0


def test_after_stop_nothing_is_heard_or_sent(tab: Tab) -> None:
    tab.page.evaluate("bridge.stop()")
    tab.post(tab.event())
    tab.page.wait_for_timeout(300)
    assert_nothing_happened(tab)


def test_a_fault_in_the_pages_own_callback_stops_nothing(
    context: BrowserContext, crm: Crm, run: LocalServer
) -> None:
    tab = Tab.open(context, crm, run, query="/?later")
    tab.page.evaluate(
        "window.bridge = begin({onSent: () => { sent.push(0); onerror = () => true; throw new "
        "Error('own'); }})"
    )
    tab.post(tab.event(JOINED))
    tab.post(tab.event(JOINED, timestamp="2"))
    tab.until("bridge.pending() === 0 && sent.length > 0")


def test_no_value_reaches_the_console_or_an_error(
    tab: Tab, context: BrowserContext, crm: Crm
) -> None:
    secret, lines = "s3cret-v4lue", list[str]()
    tab.page.on("console", lambda message: lines.append(message.text))
    posts_to_baton(context, crm, 503, 400)
    variables = [{"variables": {secret: secret}}]
    tab.post(
        tab.event(captured_variables=variables), tab.event(captured_variables=variables, call_id=7)
    )
    tab.settled()
    assert len(tab.errors()) > 1
    assert secret not in json.dumps(tab.errors()) + "".join(lines)


@pytest.mark.parametrize(
    "options",
    [
        "{adapterOrigins: ['*']}",
        "{adapterOrigins: ['https://tenant.example.com/']}",
        "{adapterOrigins: []}",
        "{adapterOrigins: undefined}",
        "{endpoint: '/forward_variables'}",
        "{frame: null}",
        "{frame: window}",
        "{getToken: 'token'}",
    ],
)
def test_an_option_that_is_wrong_is_a_type_error(tab: Tab, options: str) -> None:
    script = (
        "() => "
        f"{{ try {{ begin({options}); return null; }} catch (error) {{ return error.name; }} }}"
    )
    assert tab.page.evaluate(script) == "TypeError"


def test_the_script_does_not_run_where_it_is_not_what_the_tag_says(
    context: BrowserContext, crm: Crm, run: LocalServer
) -> None:
    def altered(route: Route) -> None:
        headers = {"access-control-allow-origin": "*", "content-type": "text/javascript"}
        route.fulfill(body="globalThis.BatonBridge = {start: () => 'evil'}", headers=headers)

    context.route("**/bridge.js*", altered)
    tab = Tab.open(context, crm, run, query="/?later")
    expect(tab.page).to_have_title("CRM")
    assert tab.page.evaluate("typeof BatonBridge") == "undefined"
