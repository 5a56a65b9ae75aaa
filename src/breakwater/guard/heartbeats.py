# SPDX-License-Identifier: Apache-2.0
"""Heartbeats for activities that take long: in loops, and around one long call.

A heartbeat in a loop shows progress, so prefer :func:`each`. Around a call that cannot be divided, :class:`Beating`
shows only that the worker lives, and therefore has an end: a call that takes longer is found as stalled.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import itertools
import threading
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

from temporalio import activity

#: Seconds between two beats for an activity that has no heartbeat timeout.
_UNHURRIED = 10.0
#: Beats within one heartbeat timeout, so that one or two may be late.
_PER_TIMEOUT = 3

Item = TypeVar("Item")


def each(items: Iterable[Item], *, resume: bool = False) -> Iterator[Item]:
    """Go through items with a heartbeat before each one; the SDK sends only as many as are needed.

    Args:
        items: in the same order at every attempt, if `resume` is set.
        resume: leave out the items that an earlier attempt had finished. The last ones before it ended may come again,
            because heartbeats are sent with a delay.

    Yields:
        The items.

    Raises:
        RuntimeError: this is not an activity.
    """
    done = _done() if resume else 0
    for number, item in enumerate(itertools.islice(items, done, None), done):
        activity.heartbeat(number)
        yield item


async def each_async(items: AsyncIterable[Item]) -> AsyncIterator[Item]:
    """Go through items that arrive one by one with a heartbeat before each.

    A wait for the next item has no heartbeats: a source that stalls is found.

    Args:
        items: such as an asynchronous generator.

    Yields:
        The items.
    """
    number = 0
    async for item in items:
        activity.heartbeat(number)
        yield item
        number += 1


def _done() -> int:
    details = activity.info().heartbeat_details
    return details[0] if details and isinstance(details[0], int) else 0


class Beating:
    """Heartbeats while a block runs: ``with`` in synchronous activities (threads), ``async with`` in asynchronous ones.

    Args:
        at_most: how long the block may take. After that the beats stop, and Temporal times the activity out.
        every: seconds between two beats; None: a third of the heartbeat timeout.
    """

    def __init__(self, at_most: timedelta, every: float | None = None) -> None:
        self._seconds = at_most.total_seconds()
        self._every = every
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        interval = self._interval()
        # The SDK finds the activity by the context, which a new thread does not have of itself.
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._beat, interval), name="breakwater-heartbeats", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._beat_async(self._interval()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _interval(self) -> float:
        timeout = activity.info().heartbeat_timeout
        return self._every or (timeout.total_seconds() / _PER_TIMEOUT if timeout else _UNHURRIED)

    def _beat(self, interval: float) -> None:
        end = time.monotonic() + self._seconds
        while time.monotonic() < end:
            try:
                activity.heartbeat()
            except (RuntimeError, TimeoutError, concurrent.futures.CancelledError):
                # The worker is shutting down; the activity hears of it by itself.
                return
            if self._over.wait(min(interval, max(0.0, end - time.monotonic()))):
                return

    async def _beat_async(self, interval: float) -> None:
        end = time.monotonic() + self._seconds
        while time.monotonic() < end:
            activity.heartbeat()
            await asyncio.sleep(interval)
