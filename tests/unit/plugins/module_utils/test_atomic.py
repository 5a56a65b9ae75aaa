# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _atomic
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError


def write(path: Path, content: bytes, expected: bytes | None, mode: int = 0o644) -> _atomic.Write:
    digest = None if expected is None else _atomic.sha256(expected)
    return _atomic.Write(str(path), content, digest, mode, -1, -1)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_reads_content_hash_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"\xff\x00 not UTF-8 is fine")
    path.chmod(0o640)
    state = _atomic.read_regular(str(path))
    assert state is not None
    assert (state.content, state.mode, state.uid) == (b"\xff\x00 not UTF-8 is fine", 0o640, os.getuid())
    assert state.sha256 == _atomic.sha256(state.content)


def test_nothing_is_none(tmp_path: Path) -> None:
    assert _atomic.read_regular(str(tmp_path / "a.yml")) is None


def make_link(path: Path) -> None:
    path.symlink_to("elsewhere.yml")


def make_big(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_link, ("symbolic link to elsewhere.yml", "name the real file")),
        (Path.mkdir, ("is a folder", "name a regular file")),
        (os.mkfifo, ("is a FIFO", "name a regular file")),
        (make_big, ("104857600 bytes", "is it the right file")),
    ],
)
def test_what_is_no_regular_file_is_refused_without_blocking(tmp_path: Path, make, words) -> None:  # type: ignore[no-untyped-def]  # callables of several libraries
    path = tmp_path / "compose.yml"
    make(path)
    with pytest.raises(StackError) as caught:
        _atomic.read_regular(str(path))
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_file_as_part_of_the_path_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="a part of the path is a file"):
        _atomic.read_regular(str(tmp_path / "file" / "compose.yml"))


def test_replaces_with_mode_kept_and_nothing_left(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"old")
    staged = _atomic.stage(write(path, b"new", b"old", 0o604))
    assert path.read_bytes() == b"old"
    _atomic.commit(staged)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert names(tmp_path) == ["a.yml"]


def test_keeps_extended_attributes(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"old")
    try:
        os.setxattr(path, "user.origin", b"ops")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    _atomic.commit(_atomic.stage(write(path, b"new", b"old")))
    assert os.getxattr(path, "user.origin") == b"ops"


@pytest.mark.parametrize(
    ("before", "expected", "meanwhile", "reason"),
    [
        (b"old", b"old", b"edited", "was changed by someone"),
        (b"old", b"old", None, "was deleted"),
        (None, None, b"edited", "appeared"),
    ],
)
def test_a_file_that_moved_on_is_not_replaced(
    tmp_path: Path, before: bytes | None, expected: bytes | None, meanwhile: bytes | None, reason: str
) -> None:
    path = tmp_path / "a.yml"
    if before is not None:
        path.write_bytes(before)
    staged = _atomic.stage(write(path, b"new", expected))
    if meanwhile is None:
        path.unlink()
    else:
        path.write_bytes(meanwhile)
    with pytest.raises(StackError, match=reason):
        _atomic.commit(staged)
    _atomic.discard(staged)
    assert (path.read_bytes() if path.exists() else None) == meanwhile
    assert names(tmp_path) == ([] if meanwhile is None else ["a.yml"])


def test_a_new_file_never_replaces_one_that_appears_at_the_last_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.yml"
    staged = _atomic.stage(write(path, b"new", None))
    monkeypatch.setattr(_atomic, "check_unchanged", lambda _write: path.write_bytes(b"theirs"))
    with pytest.raises(StackError, match="appeared"):
        _atomic.commit(staged)
    assert path.read_bytes() == b"theirs"


def test_a_new_file_appears_on_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "a.yml"
    _atomic.commit(_atomic.stage(write(path, b"new", None)))
    assert names(tmp_path) == ["a.yml"]


@pytest.mark.parametrize("call", ["write", "fsync", "fchmod"])
@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "free some space"), (errno.EROFS, "mounted read-only"), (errno.EIO, "kernel's log")],
)
def test_a_disk_that_fails_is_named_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, words: str
) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"old")

    def fail(*_args: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(StackError, match=words) as caught:
            _atomic.stage(write(path, b"new", b"old"))
    assert str(caught.value).startswith(f"{path}: cannot write the file")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.yml"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:3]))
    path = tmp_path / "a.yml"
    _atomic.commit(_atomic.stage(write(path, b"0123456789", None)))
    assert path.read_bytes() == b"0123456789"


def test_a_file_system_without_folder_sync_is_accepted_and_a_broken_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(number: int) -> None:
        def fsync(_descriptor: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", fsync)

    fail(errno.EINVAL)
    _atomic.sync_folder(str(tmp_path))
    fail(errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        _atomic.sync_folder(str(tmp_path))


def test_removes_only_what_is_as_expected(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"ours")
    with pytest.raises(StackError, match="was changed"):
        _atomic.remove(str(path), _atomic.sha256(b"other"))
    assert path.exists()
    _atomic.remove(str(path), _atomic.sha256(b"ours"))
    assert not path.exists()


def test_leftovers_are_ours_alone(tmp_path: Path) -> None:
    ours = tmp_path / ".breakwater-0123456789abcdef.tmp"
    for name in (ours.name, ".breakwater", "a.tmp", ".breakwater-0123456789abcdef.tmp.yml", "x.breakwater-01.tmp"):
        (tmp_path / name).touch()
    assert list(_atomic.leftovers(str(tmp_path))) == [str(ours)]
    assert list(_atomic.leftovers(str(tmp_path / "missing"))) == []
