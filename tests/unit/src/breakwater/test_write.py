# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest

from breakwater.exits import CommandError
from breakwater.write import NewFile, write_files


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def new_file(name: str, old: str = "a: 1\r\n", new: str = "a: 2\r\n") -> NewFile:
    Path(name).write_bytes(old.encode())
    return NewFile(name, old, new)


def test_content_mode_and_owner() -> None:
    file = new_file("a.yml", "\ufeffa: ü\r\n", "\ufeffa: é\r\n")
    os.chmod("a.yml", 0o640)
    if os.geteuid() == 0:
        os.chown("a.yml", 1234, 5678)
    before = os.stat("a.yml")
    assert write_files([file]) == ["wrote a.yml"]
    after = os.stat("a.yml")
    assert Path("a.yml").read_bytes() == "\ufeffa: é\r\n".encode()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino
    assert os.listdir() == ["a.yml"]


def test_a_link_stays_a_link_and_its_target_is_written() -> None:
    os.mkdir("real")
    new_file("real/a.yml")
    os.symlink("real/a.yml", "link.yml")
    said = write_files([NewFile("link.yml", "a: 1\r\n", "a: 2\r\n")])
    assert os.readlink("link.yml") == "real/a.yml"
    assert Path("real/a.yml").read_bytes() == b"a: 2\r\n"
    assert said == [f"wrote {os.path.realpath('real/a.yml')} (through the symbolic link link.yml)"]


def test_nothing_is_written_when_a_file_changed_since() -> None:
    files = [new_file("a.yml"), new_file("b.yml")]
    Path("b.yml").write_text("a: 3\n")
    with pytest.raises(CommandError, match="changed by someone"):
        write_files(files)
    assert Path("a.yml").read_bytes() == b"a: 1\r\n"
    assert Path("b.yml").read_text() == "a: 3\n"
    assert sorted(os.listdir()) == ["a.yml", "b.yml"]


def test_a_file_with_several_hard_links_is_refused() -> None:
    file = new_file("a.yml")
    os.link("a.yml", "b.yml")
    with pytest.raises(CommandError, match="hard links"):
        write_files([file])
    assert Path("a.yml").read_bytes() == b"a: 1\r\n"


def test_a_file_that_vanished_is_refused() -> None:
    file = new_file("a.yml")
    os.unlink("a.yml")
    with pytest.raises(CommandError, match="deleted"):
        write_files([file])
    assert os.listdir() == []
