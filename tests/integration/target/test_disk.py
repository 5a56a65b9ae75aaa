# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer on disks that are really full or read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _atomic, _generations, _lock, _writer
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError

OLD = b"# old\n" * 1000
NEW = b"# new\n" * 1000
FACTS = {"run_id": "r1", "who": "ops", "why": "", "changes": [], "services": []}
FILES = [
    _writer.NewFile("compose.yml", NEW, _atomic.sha256(OLD), None),
    _writer.NewFile("breakwater/new.yml", NEW, None, None),
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A project folder on a file system of 128 KiB of its own."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", tmp_path], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a file system")
    (tmp_path / "compose.yml").write_bytes(OLD)
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def remount(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", disk], check=True)


def fill(disk: Path, leave: int) -> None:
    """Use up the file system but for some blocks of 4 KiB."""
    blocks = 0
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)) == 4096:
                blocks += 1
        except OSError:
            pass
        file.truncate(max(0, blocks - leave) * 4096)


def listing(disk: Path) -> dict[str, int]:
    return {
        str(path.relative_to(disk)): path.stat().st_ino for path in disk.rglob("*") if ".breakwater" not in path.parts
    }


@pytest.mark.parametrize("leave", range(14))
def test_a_full_disk_is_said_and_all_is_as_it_was(disk: Path, leave: int) -> None:
    _generations.ensure_root(str(disk))
    fill(disk, leave)
    before = listing(disk)
    reason = ""
    try:
        _writer.write(str(disk), FILES, FACTS, check=False)
    except StackError as error:
        reason = str(error)
    if reason:
        assert "No space left on device; free some space" in reason
        assert "\n" not in reason
        assert (disk / "compose.yml").read_bytes() == OLD
        assert listing(disk) == before
        assert _generations.identifiers(str(disk)) == []
        assert leave < 13, "the last case has room enough"
    else:
        assert (disk / "compose.yml").read_bytes() == NEW
        assert leave > 7, "the first cases have no room"
    (disk / "filler").unlink()
    strange = [path.name for path in disk.rglob(".*") if path.name not in (".breakwater", ".gitignore")]
    assert strange == []


def test_the_lock_on_a_full_disk(disk: Path) -> None:
    root = _generations.ensure_root(str(disk))
    fill(disk, 0)
    with pytest.raises(
        StackError, match=r"lock\.json: cannot write the file: No space left on device; free some space"
    ):
        _lock.take(root, "r1", "ops", {}, 100)
    assert os.listdir(root) == ["generations", ".gitignore"] or sorted(os.listdir(root)) == [
        ".gitignore",
        "generations",
    ]


def test_a_read_only_disk(disk: Path) -> None:
    remount(disk, "ro")
    try:
        with pytest.raises(StackError, match=r"Read-only file system; the file system is mounted read-only: mount it"):
            _generations.ensure_root(str(disk))
        outcome = _writer.write(str(disk), FILES, FACTS, check=True)
        assert outcome.changed
    finally:
        remount(disk, "rw")


def test_a_disk_that_becomes_read_only_in_the_middle(disk: Path) -> None:
    _generations.ensure_root(str(disk))
    remount(disk, "ro")
    try:
        with pytest.raises(StackError, match="mounted read-only"):
            _writer.write(str(disk), FILES, FACTS, check=False)
        assert (disk / "compose.yml").read_bytes() == OLD
    finally:
        remount(disk, "rw")
