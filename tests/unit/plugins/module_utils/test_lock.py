# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _lock
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError


@pytest.fixture
def root(tmp_path: Path) -> str:
    folder = tmp_path / ".breakwater"
    folder.mkdir(mode=0o700)
    return str(folder)


def dead_process() -> dict[str, object]:
    child = subprocess.Popen(["sleep", "60"])
    described = _lock.identify(child.pid)
    child.kill()
    child.wait()
    return described


def test_names_who_holds_it(root: str) -> None:
    _lock.take(root, "r1", "ops: harden.yml", _lock.identify(os.getpid()), 1800)
    with pytest.raises(StackError) as caught:
        _lock.take(root, "r2", "dev", {}, 1800)
    message = str(caught.value)
    for words in (
        os.path.dirname(root),
        "ops: harden.yml",
        f"process {os.getpid()}",
        "run r1",
        "breakwater.stack.stack_unlock",
    ):
        assert words in message
    assert "\n" not in message
    assert os.stat(os.path.join(root, _lock.FILE_NAME)).st_mode & 0o777 == 0o600


def test_the_same_run_takes_it_again_and_keeps_its_time(root: str) -> None:
    first = _lock.take(root, "r1", "ops", {}, 10)
    again = _lock.take(root, "r1", "ops", {}, 20)
    assert again.note == ""
    assert again.lease.taken == first.lease.taken
    assert again.lease.expires > first.lease.expires


def test_a_dead_process_holds_nothing(root: str) -> None:
    _lock.take(root, "r1", "ops", dead_process(), 1800)
    taken = _lock.take(root, "r2", "dev", {}, 1800)
    assert "took over the lock of ops, run r1: its process" in taken.note
    assert taken.lease.run_id == "r2"


def test_a_process_number_that_was_given_again_holds_nothing(root: str) -> None:
    process = {**_lock.identify(os.getpid()), "started": 1}
    _lock.take(root, "r1", "ops", process, 1800)
    assert "is dead" in _lock.take(root, "r2", "dev", {}, 1800).note


@pytest.mark.parametrize("key", ["boot_id", "pid_namespace"])
def test_a_process_elsewhere_is_not_judged(root: str, key: str) -> None:
    _lock.take(root, "r1", "ops", {**dead_process(), key: "elsewhere"}, 1800)
    with pytest.raises(StackError, match="locked by ops"):
        _lock.take(root, "r2", "dev", {}, 1800)


def test_an_expired_lease_is_taken_over_and_said(root: str) -> None:
    _lock.take(root, "r1", "ops", _lock.identify(os.getpid()), 0)
    assert "took over the lock of ops, run r1: it expired 0 s ago" in _lock.take(root, "r2", "dev", {}, 1800).note
    with pytest.raises(StackError, match="run r1 does not hold the lock, which is held by dev"):
        _lock.renew(root, "r1")


def test_renews_for_as_long_again(root: str) -> None:
    lease = _lock.take(root, "r1", "ops", {}, 100).lease
    time.sleep(0.02)
    renewed = _lock.renew(root, "r1")
    assert renewed.renewed > lease.renewed
    assert renewed.expires - renewed.renewed == pytest.approx(100)


def test_an_own_expired_lease_that_nobody_took_is_renewed(root: str) -> None:
    _lock.take(root, "r1", "ops", {}, 0)
    assert _lock.renew(root, "r1").run_id == "r1"


def test_renew_without_lock_fails(root: str, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="held by nobody"):
        _lock.renew(root, "r1")
    with pytest.raises(StackError, match="open the stack first"):
        _lock.renew(str(tmp_path / "missing"), "r1")


def test_release_is_for_the_holder_and_breaking_for_anybody(root: str) -> None:
    assert _lock.release(root, "r1") is None
    _lock.take(root, "r1", "ops", {}, 100)
    assert _lock.release(root, "r2") is None
    assert _lock.read(root) is not None
    broken = _lock.release(root, None)
    assert broken is not None
    assert broken.run_id == "r1"
    assert _lock.read(root) is None
    assert os.listdir(root) == []


def test_waits_for_the_holder(root: str) -> None:
    _lock.take(root, "r1", "ops", {}, 0.6)
    started = time.monotonic()
    _lock.take(root, "r2", "dev", {}, 100, wait=10)
    assert 0.4 < time.monotonic() - started < 3


@pytest.mark.parametrize("content", ["", "{", "[]", '{"holder": "x"}', json.dumps({"a": 1})])
def test_a_damaged_lease_holds_nothing_and_is_said(root: str, content: str) -> None:
    Path(root, _lock.FILE_NAME).write_text(content)
    assert "damaged" in _lock.take(root, "r1", "ops", {}, 100).note


def _contend(root: str, name: str, results: multiprocessing.Queue[str]) -> None:
    try:
        _lock.take(root, name, name, {}, 100)
    except StackError:
        results.put("")
    else:
        results.put(name)


def test_of_many_at_once_one_gets_it(root: str) -> None:
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[str] = context.Queue()
    contenders = [context.Process(target=_contend, args=(root, f"r{number}", results)) for number in range(8)]
    for contender in contenders:
        contender.start()
    winners = [name for name in [results.get(timeout=20) for _ in contenders] if name]
    for contender in contenders:
        contender.join()
    lease = _lock.read(root)
    assert lease is not None
    assert winners == [lease.run_id]
