"""bridge.js in a real browser between three real origins: the CRM's page, the adapter in its frame, and Baton."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect

from infra.local.server import LocalServer
from infra.local.settings import BRIDGE_KEY
from tests.browser.crm import Crm, Tab, serve

VARIABLES = "variables_captured"
JOINED, LEFT, RECEIVED = "Task_VA_Joined", "Task_VA_Left", "Task_VA_Variables_Received"


@pytest.fixture(scope="module")
def crm() -> Iterator[Crm]:
    server, served = serve()
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def run(crm: Crm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    settings = {"BRIDGE_ALLOWED_ORIGINS": crm.url, "BRIDGE_TOKEN_KEYS": BRIDGE_KEY}
    with LocalServer(tmp_path_factory.mktemp("bridge"), settings) as running:
        crm.endpoint = f"http://baton.localhost:{running.port}/forward_variables"
        yield running


@pytest.fixture
def context(chromium: Browser, run: LocalServer, crm: Crm) -> Iterator[BrowserContext]:
    """A browser of its own, whose storage is empty, and which must not throw."""
    opened, thrown = chromium.new_context(), list[str]()
    opened.set_default_timeout(15_000)
    opened.on("weberror", lambda error: thrown.append(str(error.error)))
    crm.tokens.clear()
    yield opened
    opened.close()
    assert thrown == []


@pytest.fixture
def tab(context: BrowserContext, crm: Crm, run: LocalServer) -> Tab:
    return Tab.open(context, crm, run)


def posts_to_baton(context: BrowserContext, crm: Crm, *answers: Any) -> list[str]:
    """Answers the first posts by `answers` (a status, or what takes the route) and returns the bodies of all."""
    bodies, script = list[str](), list(answers)

    def handle(route: Route) -> None:
        if route.request.method == "POST":
            bodies.append(route.request.post_data or "")
        answer = script.pop(0) if script and route.request.method == "POST" else Route.continue_
        if callable(answer):
            answer(route)
        else:
            route.fulfill(status=answer, headers={"access-control-allow-origin": crm.url}, body="{}")

    context.route(crm.endpoint, handle)
    return bodies


def ids(body: str) -> list[str]:
    return [event["id"] for event in json.loads(body)["events"]]


def lose_the_answer(route: Route) -> None:
    route.fetch(url=route.request.url.replace("baton.localhost", "127.0.0.1"))  # only a browser knows the other name
    route.abort()


def test_the_three_events_arrive_once_and_in_order(tab: Tab) -> None:
    tab.post(tab.event(JOINED), tab.event(RECEIVED), tab.event(LEFT, finish_reason="done"))
    tab.settled()
    tab.arrived("virtual_agent_joined", VARIABLES, "virtual_agent_left", VARIABLES)
    assert tab.published()[-1] == {"city": "Oslo"}
    assert tab.errors() == []


def test_the_page_itself_hears_of_them_and_may_act(tab: Tab) -> None:
    tab.post(tab.event(JOINED), tab.event(RECEIVED), tab.event(LEFT))
    tab.settled()
    virtual_agent, variables = "baton:virtual-agent", "baton:variables"
    heard = [[virtual_agent, JOINED], [variables, RECEIVED], [virtual_agent, LEFT], [variables, LEFT]]
    assert tab.page.evaluate("heard") == heard


def test_an_event_may_come_as_text(tab: Tab) -> None:
    tab.post(json.dumps(tab.event()))
    tab.settled()
    tab.arrived(VARIABLES)


def test_it_works_as_an_import_too(context: BrowserContext, crm: Crm, run: LocalServer) -> None:
    tab = Tab.open(context, crm, run, query="/?import")
    tab.page.evaluate("delete globalThis.BatonBridge")
    tab.page.evaluate("async url => { await import(url); window.bridge = begin(); }", f"{crm.endpoint}/bridge.js")
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
    assert tab.page.evaluate("[bridge.pending(), heard.length, sent.length, errors.length]") == [0, 0, 0, 0]
    assert tab.kinds() == []


def test_what_happens_offline_is_sent_once_when_the_network_is_back(tab: Tab, context: BrowserContext) -> None:
    context.set_offline(True)
    tab.post(tab.event(JOINED), tab.event())
    tab.until("errors.length > 0")
    assert tab.page.evaluate("bridge.pending()") == 2
    assert tab.kinds() == []
    context.set_offline(False)
    tab.settled()
    tab.arrived("virtual_agent_joined", VARIABLES)


def test_a_reload_in_between_loses_and_doubles_nothing(tab: Tab, context: BrowserContext, crm: Crm) -> None:
    bodies = posts_to_baton(context, crm, Route.abort, Route.abort, Route.abort)
    tab.post(tab.event())
    tab.until("errors.length > 0")
    tab.page.reload()
    tab.settled()
    tab.arrived(VARIABLES)
    assert len({tuple(ids(body)) for body in bodies}) == 1


def test_a_tab_that_is_closed_right_after_the_event_has_sent_it_or_another_will(
    tab: Tab, context: BrowserContext, crm: Crm, run: LocalServer
) -> None:
    tab.post(tab.event())
    tab.page.close()
    later = Tab.open(context, crm, run, tab.chat)
    later.until("bridge.pending() === 0")
    later.arrived(VARIABLES)


def test_a_page_that_is_left_right_after_the_event_still_sends_it(tab: Tab) -> None:
    tab.page.wait_for_load_state("networkidle")
    tab.post(tab.event())
    tab.page.goto("about:blank")
    tab.arrived(VARIABLES)


def test_a_token_that_is_not_taken_any_more_is_renewed_at_once(tab: Tab, crm: Crm) -> None:
    tab.page.wait_for_load_state("networkidle")
    crm.tokens[:] = ["expired"]
    later = Tab.open(tab.page.context, crm, tab.run, tab.chat)
    later.post(later.event())
    later.settled()
    later.arrived(VARIABLES)
    assert crm.tokens == []
    assert later.errors() == []


def test_tokens_that_are_never_taken_keep_the_event_until_one_is(
    context: BrowserContext, crm: Crm, run: LocalServer
) -> None:
    crm.tokens[:] = ["expired"] * 3
    tab = Tab.open(context, crm, run)
    tab.post(tab.event())
    tab.until("errors.some(({reason, retrying}) => reason === 'http-401' && retrying)")
    tab.settled()
    tab.arrived(VARIABLES)


def test_a_server_that_answers_503_twice_gets_the_same_event_a_third_time(
    tab: Tab, context: BrowserContext, crm: Crm
) -> None:
    bodies = posts_to_baton(context, crm, 503, 503)
    tab.post(tab.event())
    tab.settled()
    tab.arrived(VARIABLES)
    assert len(bodies) == 3
    assert len({tuple(ids(body)) for body in bodies}) == 1
    assert [error["reason"] for error in tab.errors()] == ["http-503", "http-503"]


def test_an_answer_that_is_lost_doubles_nothing(tab: Tab, context: BrowserContext, crm: Crm) -> None:
    bodies = posts_to_baton(context, crm, lose_the_answer)
    tab.post(tab.event())
    tab.settled()
    tab.arrived(VARIABLES)
    assert ids(bodies[0]) == ids(bodies[1])


def test_an_answer_that_is_not_batons_settles_nothing(tab: Tab, context: BrowserContext, crm: Crm) -> None:
    posts_to_baton(context, crm, 200)
    tab.post(tab.event())
    tab.settled()
    assert tab.errors()[0]["reason"] == "unreadable-answer"
    tab.arrived(VARIABLES)


def test_two_tabs_that_hear_the_same_count_once_and_lose_nothing_of_their_own(
    tab: Tab, context: BrowserContext, crm: Crm, run: LocalServer
) -> None:
    other = Tab.open(context, crm, run, tab.chat)
    for number in range(5):
        tab.post(tab.event(JOINED, timestamp=str(number)), tab.event(JOINED, timestamp=f"10{number}"))
        other.post(other.event(JOINED, timestamp=str(number)), other.event(JOINED, timestamp=f"20{number}"))
    tab.until("bridge.pending() === 0")
    run.wait_until(lambda: tab.kinds().count("virtual_agent_joined") >= 15)
    tab.page.wait_for_timeout(300)
    assert tab.kinds().count("virtual_agent_joined") == 15


def test_many_events_go_in_batches_that_baton_takes(tab: Tab, context: BrowserContext, crm: Crm) -> None:
    bodies = posts_to_baton(context, crm)
    large = [tab.event(JOINED, timestamp=str(number), queue_path="p" * 20_000) for number in range(6)]
    small = [tab.event(JOINED, timestamp=f"9{number:03}", captured_variables=[]) for number in range(110)]
    tab.post(*large, *small)
    tab.until("sent.length === 116")
    sizes = [(len(ids(body)), len(body)) for body in bodies]
    assert max(events for events, _ in sizes) <= 50
    assert max(size for _, size in sizes) < 64 * 1024
    assert len(bodies) < 12
    assert tab.errors() == []


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


def test_a_batch_that_baton_cannot_read_is_taken_apart(tab: Tab, context: BrowserContext, crm: Crm) -> None:
    bodies = posts_to_baton(context, crm, 400, 400)
    tab.post(tab.event(JOINED), tab.event(JOINED, timestamp="2"), tab.event(JOINED, timestamp="3"))
    tab.until("bridge.pending() === 0 && sent.length > 0")
    assert [len(ids(body)) for body in bodies][-2:] != [3, 3]
    assert [error["reason"] for error in tab.errors()] == ["http-400"]


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


def test_a_fault_in_the_pages_own_callback_stops_nothing(context: BrowserContext, crm: Crm, run: LocalServer) -> None:
    tab = Tab.open(context, crm, run, query="/?later")
    tab.page.evaluate(
        "window.bridge = begin({onSent: () => { sent.push(0); onerror = () => true; throw new Error('own'); }})"
    )
    tab.post(tab.event(JOINED))
    tab.post(tab.event(JOINED, timestamp="2"))
    tab.until("bridge.pending() === 0 && sent.length > 0")


def test_no_value_reaches_the_console_or_an_error(tab: Tab, context: BrowserContext, crm: Crm) -> None:
    secret, lines = "s3cret-v4lue", list[str]()
    tab.page.on("console", lambda message: lines.append(message.text))
    posts_to_baton(context, crm, 503, 400)
    variables = [{"variables": {secret: secret}}]
    tab.post(tab.event(captured_variables=variables), tab.event(captured_variables=variables, call_id=7))
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
    script = f"() => {{ try {{ begin({options}); return null; }} catch (error) {{ return error.name; }} }}"
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
