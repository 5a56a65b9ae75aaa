# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from breakwater.guard.heartbeats import Beating, each, each_async

SECOND = timedelta(seconds=1)


class Environment(ActivityEnvironment):
    """An activity that remembers its heartbeats."""

    def __init__(self, **info: Any) -> None:
        super().__init__()
        self.beats: list[tuple[Any, ...]] = []
        self.beaten = threading.Event()
        self.info = dataclasses.replace(self.info, **info)
        self.on_heartbeat = self._remember

    def _remember(self, *details: Any) -> None:
        self.beats.append(details)
        if len(self.beats) >= 3:
            self.beaten.set()


def test_each_item_has_a_heartbeat_before_it() -> None:
    environment = Environment()
    assert environment.run(lambda: [(item, len(environment.beats)) for item in each("ab")]) == [("a", 1), ("b", 2)]
    assert environment.beats == [(0,), (1,)]


@pytest.mark.parametrize(("details", "items"), [([], "abc"), ([1], "bc"), (["x"], "abc"), ([9], "")])
def test_a_second_attempt_goes_on_where_the_first_ended(details: list[Any], items: str) -> None:
    environment = Environment(heartbeat_details=details)
    assert environment.run(lambda: "".join(each("abc", resume=True))) == items
    assert [beat[0] for beat in environment.beats] == ["abc".index(item) for item in items]
    assert environment.run(lambda: "".join(each("abc"))) == "abc"


def test_items_that_arrive_one_by_one() -> None:
    environment = Environment()

    async def source() -> AsyncIterator[str]:
        for item in "ab":
            yield item

    async def go() -> list[str]:
        return [item async for item in each_async(source())]

    assert asyncio.run(environment.run(go)) == ["a", "b"]
    assert environment.beats == [(0,), (1,)]


def test_beats_around_a_long_call_in_a_thread_end_with_it() -> None:
    environment = Environment()

    def work() -> bool:
        with Beating(100 * SECOND, every=0.01):
            return environment.beaten.wait(10)

    before = threading.active_count()
    assert environment.run(work)
    assert threading.active_count() == before


def test_beats_around_a_long_await_end_with_it() -> None:
    environment = Environment(heartbeat_timeout=timedelta(milliseconds=30))

    async def work() -> None:
        async with Beating(100 * SECOND):
            while not environment.beaten.is_set():
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(environment.run(work), 10))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_beats_stop_where_the_call_takes_too_long(asynchronous: bool) -> None:
    environment = Environment()
    shortly = Beating(timedelta(milliseconds=20), every=0.001)

    def work() -> None:
        with shortly:
            time.sleep(0.2)
            environment.beats.clear()
            time.sleep(0.05)

    async def work_async() -> None:
        async with shortly:
            await asyncio.sleep(0.2)
            environment.beats.clear()
            await asyncio.sleep(0.05)

    if asynchronous:
        asyncio.run(environment.run(work_async))
    else:
        environment.run(work)
    assert environment.beats == []


def test_errors_of_the_block_come_through() -> None:
    def work() -> None:
        with Beating(SECOND):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Environment().run(work)
