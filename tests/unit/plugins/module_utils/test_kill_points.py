# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed at any moment leaves whole files and enough for the next run to settle it.

A forked child does the work with every call that can change a file system counted, and kills itself with SIGKILL before
the n-th, for every n; where the call writes bytes, also in the middle of it. Then the next run recovers.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _atomic, _generations, _lock, _writer


# SIGKILL, unlike a power cut, takes nothing back that a system call has done: nothing here waits for a disk.
@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=memory if os.path.isdir(memory) else None) as path:
        yield Path(path)


CALLS = ("open", "write", "fsync", "fchmod", "fchown", "chmod", "chown", "mkdir", "rmdir")
CALLS_OF_NAMES = ("replace", "rename", "link", "unlink", "setxattr")
FACTS = {"run_id": "r1", "who": "ops", "why": "limits", "changes": [], "services": ["a"]}
OLD = {"compose.yml": b"old compose " * 9000, "other.yml": b"old other\n", "breakwater/pool/new.yml": None}
NEW = {"compose.yml": b"new compose " * 9000, "other.yml": b"new other\n", "breakwater/pool/new.yml": b"new file\n"}


def new_files() -> list[_writer.NewFile]:
    return [
        _writer.NewFile(name, content, None if OLD[name] is None else _atomic.sha256(OLD[name] or b""), None)
        for name, content in NEW.items()
    ]


def make_project(folder: Path) -> str:
    folder.mkdir()
    for name, content in OLD.items():
        if content is not None:
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o640)
    return str(folder)


def write_and_keep(directory: str) -> None:
    root = _generations.ensure_root(directory)
    _lock.take(root, "r1", "killed run", _lock.identify(os.getpid()), 1800)
    _generations.clean(directory, [])
    manifest = _writer.write(directory, new_files(), FACTS, check=False).generation
    assert manifest is not None
    _lock.renew(root, "r1")
    _generations.close(directory, manifest, "kept")
    _generations.prune(directory, keep=1)
    _lock.release(root, "r1")


def bring_back(directory: str) -> None:
    root = _generations.ensure_root(directory)
    _lock.take(root, "r1", "killed run", _lock.identify(os.getpid()), 1800)
    _writer.restore(directory, "open", [], "ops", check=False)
    _lock.release(root, "r1")


def run_and_kill(work: Callable[[str], None], directory: str, kill_at: int, half: bool) -> tuple[bool, int]:
    """Run work in a child that kills itself at the n-th call. Returns whether it ended by itself, and its calls."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            count = patch_and_count(kill_at, half)
            work(directory)
            os.set_blocking(writing, False)
            code = 0
            REAL_WRITE(writing, str(count[0]).encode())
        finally:
            os._exit(code)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        calls = pipe.read()
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False, 0
    assert os.WEXITSTATUS(status) == 0
    return True, int(calls)


REAL_WRITE = os.write


def patch_and_count(kill_at: int, half: bool) -> list[int]:
    count = [0]

    def patched(name: str) -> Callable[..., object]:
        real = getattr(os, name)

        def call(*args: object, **options: object) -> object:
            count[0] += 1
            if count[0] == kill_at:
                if half and name == "write":
                    descriptor, data = args
                    assert isinstance(data, memoryview)
                    REAL_WRITE(descriptor, data[: len(data) // 2])  # type: ignore[arg-type]  # os.write takes it so
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)

        return call

    for name in (*CALLS, *CALLS_OF_NAMES):
        setattr(os, name, patched(name))
    return count


def contents(directory: str) -> dict[str, bytes | None]:
    paths = {name: Path(directory, name) for name in OLD}
    return {name: path.read_bytes() if path.exists() else None for name, path in paths.items()}


def assert_whole(directory: str) -> None:
    for name, content in contents(directory).items():
        assert content in (OLD[name], NEW[name]), f"{name} is neither as before nor as after"
        if OLD[name] is not None:
            assert Path(directory, name).stat().st_mode & 0o777 == 0o640


def recover(directory: str) -> str:
    """Do what the next run does first. Returns the state that the killed run's generation ends in ("" without one)."""
    root = _generations.ensure_root(directory)
    taken = _lock.take(root, "r2", "next run", _lock.identify(os.getpid()), 1800)
    assert taken.lease.run_id == "r2"
    _generations.clean(directory, [])
    _writer.restore(directory, "open", [], "next run", check=False)
    latest = _generations.find(directory, "latest")
    _lock.release(root, "r2")
    return str(latest["state"]) if latest else ""


def assert_tidy(directory: str) -> None:
    strange = [
        path.name
        for path in Path(directory).rglob("*")
        if path.name.endswith(".tmp") or path.name.startswith((".new-", ".old-")) or path.name == "lock.json"
    ]
    assert strange == []


def calls_of(work: Callable[[str], None], directory: str) -> int:
    ended, calls = run_and_kill(work, directory, kill_at=0, half=False)
    assert ended
    return calls


@pytest.mark.parametrize("half", [False, True])
def test_a_write_killed_anywhere_is_settled_by_the_next_run(folder: Path, half: bool) -> None:
    calls = calls_of(write_and_keep, make_project(folder / "whole"))
    assert calls > 100
    ends = set()
    for point in range(1, calls + 1):
        directory = make_project(folder / str(point))
        ended, _ = run_and_kill(write_and_keep, directory, point, half)
        assert not ended
        assert_whole(directory)
        state = recover(directory)
        ends.add(state)
        assert contents(directory) == (NEW if state == "kept" else OLD), f"killed before call {point}"
        assert_tidy(directory)
        if state != "kept":
            assert not Path(directory, "breakwater").exists() or not any(Path(directory, "breakwater").rglob("*.yml"))
            write_and_keep(directory)
            assert contents(directory) == NEW
    assert ends == {"", "restored", "kept"}


def test_a_restore_killed_anywhere_is_finished_by_the_next_run(folder: Path) -> None:
    def open_generation(name: str) -> str:
        directory = make_project(folder / name)
        _generations.ensure_root(directory)
        _writer.write(directory, new_files(), FACTS, check=False)
        return directory

    calls = calls_of(bring_back, open_generation("whole"))
    assert calls > 50
    for point in range(1, calls + 1):
        directory = open_generation(str(point))
        run_and_kill(bring_back, directory, point, half=False)
        assert_whole(directory)
        assert recover(directory) == "restored"
        assert contents(directory) == OLD, f"killed before call {point}"
        assert_tidy(directory)
