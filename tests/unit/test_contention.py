"""How long a writer that lost a race tries again."""

import asyncio

import pytest

from shared.conversations.contention import PATIENCE_SECONDS, until_uncontended
from shared.errors import Contended
from shared.ports import PreconditionFailed


class _Attempts:
    def __init__(self, lost: int) -> None:
        self.lost, self.made = lost, 0

    async def __call__(self) -> str:
        self.made += 1
        if self.made <= self.lost:
            raise PreconditionFailed
        return "written"


async def test_a_writer_that_lost_tries_again() -> None:
    attempts = _Attempts(lost=3)
    assert await until_uncontended(attempts) == "written"
    assert attempts.made == 4


async def test_where_the_first_refusal_took_all_the_time_one_attempt_is_left() -> None:
    long_ago = asyncio.get_running_loop().time() - PATIENCE_SECONDS
    assert await until_uncontended(_Attempts(lost=0), since=long_ago) == "written"
    attempts = _Attempts(lost=1)
    with pytest.raises(Contended):
        await until_uncontended(attempts, since=long_ago)
    assert attempts.made == 1
