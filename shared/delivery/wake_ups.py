"""deliver_outbox: one wake-up from the queue delivers one conversation."""

import asyncio

from shared.delivery.deliver import Delivered, deliver
from shared.edge.pushed import pushed_body
from shared.errors import MethodNotAllowed
from shared.logs import log
from shared.people.gone import let_go
from shared.platforms.bodies import validate
from shared.ports import Ports
from shared.schemas.http import Request, Response
from shared.schemas.notifications import WakeUp

PATIENCE_SECONDS, LONGEST_NAP_SECONDS = (
    8.0,
    1.0,
)  # an entry that comes meanwhile waits for one nap at most


# A wake-up may come before its commit. These are waits for it, in all longer than the acceptor
# takes its wake-up for good (EARLY_SECONDS).
COMMIT_NAPS = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)


async def deliver_outbox(ports: Ports, request: Request) -> Response:
    """Returns 200 when nothing more can be delivered for now, including retries that are due soon.
    Raises BadRequest.

    Longer failures are left to the sweep, not to the queue. The queue holds back later wake-ups of
    a conversation until the refused one comes again, up to ten minutes, and with them the lines
    that work. A target that is down is not waited for either: such waits would take the places of
    all other deliveries.
    """
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    wake_up = validate(WakeUp, pushed_body(request))
    until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    if wake_up.person is not None:
        await let_go(ports, wake_up.person, wake_up.conversation)
    delivered = await _deliver(ports, wake_up)
    while delivered.retry_at is not None:
        due_in = (delivered.retry_at - ports.clock.now()).total_seconds()
        if asyncio.get_running_loop().time() + due_in > until:
            break
        await asyncio.sleep(min(max(due_in, 0.0), LONGEST_NAP_SECONDS))
        delivered = await deliver(ports, wake_up.conversation)
    if delivered.retry_at is not None:
        log(
            "WARNING",
            "a delivery keeps failing; the sweep will try again",
            conversation=wake_up.conversation,
        )
    return Response(body=b"{}", notes={"conversation": wake_up.conversation})


async def _deliver(ports: Ports, wake_up: WakeUp) -> Delivered:
    """Delivers, and if the wake-up came before its commit, delivers again once that is there. A
    commit that was refused never comes; its writer tries again with a wake-up after it.
    """
    delivered = await deliver(ports, wake_up.conversation, timers=wake_up.timers)
    if wake_up.version is None or delivered.seen >= wake_up.version:
        return delivered
    for nap in COMMIT_NAPS:
        snapshot = await ports.store.load(wake_up.conversation)
        if snapshot is not None and snapshot.value.version >= wake_up.version:
            break
        await asyncio.sleep(nap)
    return await deliver(ports, wake_up.conversation)
