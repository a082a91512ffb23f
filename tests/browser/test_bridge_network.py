"""bridge.js in a real browser on a bad day: whatever fails, nothing is lost and nothing counts
twice.
"""

from playwright.sync_api import BrowserContext, Route

from infra.local.server import LocalServer
from tests.browser.crm import JOINED, VARIABLES, Crm, Tab, ids, lose_the_answer, posts_to_baton


def test_what_happens_offline_is_sent_once_when_the_network_is_back(
    tab: Tab, context: BrowserContext
) -> None:
    context.set_offline(True)
    tab.post(tab.event(JOINED), tab.event())
    tab.until("errors.length > 0 && bridge.pending() === 2")
    assert tab.kinds() == []
    context.set_offline(False)
    tab.settled()
    tab.arrived("virtual_agent_joined", VARIABLES)


def test_a_reload_in_between_loses_and_doubles_nothing(
    tab: Tab, context: BrowserContext, crm: Crm
) -> None:
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
    tab.has_token()
    tab.post(tab.event())
    tab.page.goto("about:blank")
    tab.arrived(VARIABLES)


def test_a_token_that_is_not_taken_any_more_is_renewed_at_once(tab: Tab, crm: Crm) -> None:
    tab.has_token()
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


def test_an_answer_that_is_lost_doubles_nothing(
    tab: Tab, context: BrowserContext, crm: Crm
) -> None:
    bodies = posts_to_baton(context, crm, lose_the_answer)
    tab.post(tab.event())
    tab.settled()
    tab.arrived(VARIABLES)
    assert ids(bodies[0]) == ids(bodies[1])


def test_an_answer_that_is_not_batons_settles_nothing(
    tab: Tab, context: BrowserContext, crm: Crm
) -> None:
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
        tab.post(
            tab.event(JOINED, timestamp=str(number)), tab.event(JOINED, timestamp=f"10{number}")
        )
        other.post(
            other.event(JOINED, timestamp=str(number)), other.event(JOINED, timestamp=f"20{number}")
        )
    tab.until("bridge.pending() === 0")
    run.wait_until(lambda: tab.kinds().count("virtual_agent_joined") >= 15)
    tab.page.wait_for_timeout(300)
    assert tab.kinds().count("virtual_agent_joined") == 15


def test_many_events_go_in_batches_that_baton_takes(
    tab: Tab, context: BrowserContext, crm: Crm
) -> None:
    bodies = posts_to_baton(context, crm)
    large = [
        tab.event(JOINED, timestamp=str(number), queue_path="p" * 20_000) for number in range(6)
    ]
    small = [
        tab.event(JOINED, timestamp=f"9{number:03}", captured_variables=[]) for number in range(110)
    ]
    tab.post(*large, *small)
    tab.until("sent.length === 116")
    sizes = [(len(ids(body)), len(body)) for body in bodies]
    assert max(events for events, _ in sizes) <= 50
    assert max(size for _, size in sizes) < 64 * 1024
    assert len(bodies) < 12
    assert tab.errors() == []
