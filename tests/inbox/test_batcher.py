"""What comes while a batch is at work is the next batch."""

from __future__ import annotations

import asyncio
import threading

from inbox.realtime.batcher import Batcher


class Slow:
    """A function that notes its batches and ends each when it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_end = threading.Semaphore(0)

    def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        if not self.may_end.acquire(timeout=30):
            raise TimeoutError
        return items


async def test_whoever_is_answered_and_answers_joins_those_who_wait():
    slow = Slow()
    batcher = Batcher("test", slow, gather=1000)
    alone = batcher.submit(1)
    together = [batcher.submit(2), batcher.submit(3)]
    slow.may_end.release()
    await alone
    waiting = batcher.submit(4)
    slow.may_end.release()
    await together[0]
    answer = batcher.submit(5)
    slow.may_end.release()
    assert await asyncio.gather(waiting, answer) == [4, 5]
    assert slow.batches == [[1], [2, 3], [4, 5]]


async def test_after_a_message_that_came_alone_nobody_is_waited_for():
    slow = Slow()
    batcher = Batcher("test", slow, gather=1000)
    alone, waiting = batcher.submit(1), batcher.submit(2)
    slow.may_end.release()
    await alone
    late = batcher.submit(3)
    slow.may_end.release(2)
    assert await asyncio.gather(waiting, late) == [2, 3]
    assert slow.batches == [[1], [2], [3]]


async def test_a_full_batch_waits_for_nobody():
    slow = Slow()
    batcher = Batcher("test", slow, limit=2, gather=1000)
    futures = [batcher.submit(number) for number in range(5)]
    slow.may_end.release(2)
    await asyncio.gather(*futures[:3])
    late = batcher.submit(5)
    slow.may_end.release(2)
    await asyncio.gather(*futures, late)
    assert slow.batches == [[0], [1, 2], [3, 4], [5]]
