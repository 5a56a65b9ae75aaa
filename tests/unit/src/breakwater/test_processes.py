# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import time

import pytest

from breakwater.exits import CommandError
from breakwater.processes import ENOUGH, RANGES, map_in_processes

#: Longer than a process takes to start, so that each gets its part of few items.
A_WHILE = 0.02


def slowly(result: object) -> object:
    time.sleep(A_WHILE)
    return result


def cores(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(count)))


@pytest.mark.parametrize("items", [0, 1, 2 * ENOUGH - 1])
def test_few_items_stay_in_this_process(monkeypatch: pytest.MonkeyPatch, items: int) -> None:
    cores(monkeypatch, 4)
    assert map_in_processes(lambda item: (item, os.getpid()), range(items)) == [(n, os.getpid()) for n in range(items)]


@pytest.mark.parametrize("extra", [0, 1, 2])
@pytest.mark.parametrize("count", [2, 3])
def test_many_items_keep_their_order(monkeypatch: pytest.MonkeyPatch, count: int, extra: int) -> None:
    cores(monkeypatch, count)
    items = range(count * ENOUGH + extra)
    found = map_in_processes(lambda item: slowly((item * 2, os.getpid())), items)
    assert [result for result, _ in found] == [item * 2 for item in items]
    assert len({process for _, process in found}) == count


def test_results_larger_than_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    cores(monkeypatch, 2)
    assert {len(text) for text in map_in_processes(lambda item: f"{item:10000}", range(2 * ENOUGH))} == {10000}


def test_a_process_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    cores(monkeypatch, 2)
    parent = os.getpid()

    def work(item: int) -> int:
        if os.getpid() != parent:
            os.kill(os.getpid(), 9)
        slowly(item)
        return item

    with pytest.raises(CommandError, match="ended with status 9"):
        map_in_processes(work, range(2 * ENOUGH))


def test_an_error_in_a_process_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    cores(monkeypatch, 2)
    parent = os.getpid()

    def work(item: int) -> float:
        slowly(item)
        return item if os.getpid() == parent else 1 / 0

    with pytest.raises(CommandError):
        map_in_processes(work, range(2 * ENOUGH))
    assert capfd.readouterr() == ("", "")


def test_more_items_than_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    cores(monkeypatch, 2)
    count = 3 * RANGES + 1
    assert map_in_processes(lambda item: item, range(count)) == list(range(count))
