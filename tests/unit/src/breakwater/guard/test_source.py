# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from breakwater.guard import Guard, PolicyError
from breakwater.guard.source import PolicySource

GOOD = "schema_version: 1\nworkflows: {{execution_timeout: {}m}}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yml"
    file.write_text(GOOD.format(1))
    return file


@pytest.fixture
def hangup() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def minutes(source: PolicySource | Guard) -> float:
    limit = source.policy.workflows.rule.execution_timeout.default
    assert limit
    return limit / timedelta(minutes=1)


def replace(path: Path, text: str) -> None:
    """Put a file in place the way editors and Ansible do."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_guard_needs_a_policy_to_begin_with(tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        Guard.from_file(tmp_path / "missing.yml")


def test_the_last_good_policy_stays(path: Path) -> None:
    told: list[str] = []
    source = PolicySource(path, told.append)
    assert not source.reload_if_changed()
    replace(path, GOOD.format(2))
    assert source.reload_if_changed()
    assert minutes(source) == 2
    replace(path, "nonsense: 1")
    assert not source.reload_if_changed()
    assert not source.reload_if_changed(), "a bad file is told once"
    path.unlink()
    assert not source.reload_if_changed()
    assert minutes(source) == 2
    replace(path, GOOD.format(3))
    assert source.reload_if_changed()
    assert minutes(source) == 3
    assert [bool(error) for error in told] == [False, True, True, False]
    assert f"{path}:1: the key 'nonsense'" in told[1]


def test_a_guard_follows_its_file_while_it_lives(path: Path) -> None:
    guards = [Guard.from_file(path, reload_every=0.01)]
    replace(path, GOOD.format(2))
    wait_for(lambda: minutes(guards[0]) == 2)
    before = threading.active_count()
    guards.clear()
    gc.collect()
    wait_for(lambda: threading.active_count() < before)


@pytest.mark.usefixtures("hangup")
def test_a_guard_follows_a_hangup(path: Path) -> None:
    guard = Guard.from_file(path, reload_every=None)
    guard.reload_on_hangup()
    path.write_text(GOOD.format(2))
    os.kill(os.getpid(), signal.SIGHUP)
    wait_for(lambda: minutes(guard) == 2)
