"""Firestore goes silent in the middle of traffic: its emulator is stopped, its state in memory,
and goes on later.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace

from infra.local.oracle import texts, violations
from shared.handoff.visibility import words_for
from shared.schemas.variables import Audience
from tests.emulators.deployment import Deployment, Emulators
from tests.emulators.own_emulator import FIRESTORE, own_emulator
from tests.emulators.senders import Answered, Caller

PAUSE_SECONDS, BEFORE, AFTER = 12.0, 1.5, 1.5
ANSWER_SECONDS = 9.0  # an RPC is given 5: one of them is waited for, and not two
CONVERSATIONS = ("calm", "hot", "hot", "hot")


async def _send_until(ended: asyncio.Event, caller: Caller, sender: int) -> list[Answered]:
    answered: list[Answered] = []
    while not ended.is_set():
        n = len(answered)
        how = caller.says if n % 2 else caller.bot_says
        answered.append(await how(f"{caller.native} {sender}: {n}", f"m-{sender}-{n}"))
        await asyncio.sleep(0.02)
    return answered


async def test_while_firestore_is_silent_senders_get_503_in_time_and_nothing_is_lost(
    deploy: Callable[..., Deployment], emulators: Emulators
) -> None:
    with own_emulator(FIRESTORE) as (firestore, process):
        async with deploy(on=replace(emulators, firestore=firestore)) as deployment:
            callers = [Caller(deployment, native) for native in CONVERSATIONS]
            for caller in callers:
                await caller.says("hello", f"m-first-{caller.native}")
            ended = asyncio.Event()
            sending = [
                asyncio.create_task(_send_until(ended, caller, n))
                for n, caller in enumerate(callers)
            ]
            await asyncio.sleep(BEFORE)
            os.kill(process, signal.SIGSTOP)
            try:
                await asyncio.sleep(PAUSE_SECONDS)
            finally:
                os.kill(process, signal.SIGCONT)
            await asyncio.sleep(AFTER)
            ended.set()
            answered = await asyncio.gather(*sending)
            await deployment.until_quiet(*(caller.id for caller in callers), seconds=180)

            tries = [one for sent in answered for each in sent for one in each.tries]
            assert {status for status, _ in tries} == {200, 409, 503} or {
                status for status, _ in tries
            } == {200, 503}
            assert max(seconds for _, seconds in tries) < ANSWER_SECONDS
            for native in set(CONVERSATIONS):
                await _judge(
                    deployment,
                    native,
                    [
                        sent
                        for sent, one in zip(answered, CONVERSATIONS, strict=True)
                        if one == native
                    ],
                )


async def _judge(deployment: Deployment, native: str, sent: list[list[Answered]]) -> None:
    journal = await deployment.journal(f"business_messages:{native}")
    assert len(journal) == 1 + sum(map(len, sent))
    assert {entry.outcome for entry in journal} == {"done"}
    accepted = [
        words_for(Audience.AGENT, entry) or "" for entry in journal if entry.kind == "bot_message"
    ]
    transcript = deployment.platform.store.transcript(native)
    assert not violations(transcript, accepted)
    assert texts(transcript) == accepted
