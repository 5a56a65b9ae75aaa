# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that go, and files that belong to somebody else than their folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _atomic, _generations, _writer
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError

FACTS = {"run_id": "r1", "who": "ops", "why": "pool", "changes": [], "services": []}
SECRET = b'"pool" "x"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "breakwater/pool").mkdir(parents=True)
    (folder / "compose.yml").write_bytes(b"old\n")
    (folder / "breakwater/pool/userlist.txt").write_bytes(SECRET)
    (folder / "breakwater/pool/userlist.txt").chmod(0o600)
    return folder


GOES = _writer.NewFile("breakwater/pool/userlist.txt", None, _atomic.sha256(SECRET), None)
CHANGES = _writer.NewFile("compose.yml", b"new\n", _atomic.sha256(b"old\n"), None)


def test_a_file_goes_with_its_empty_folders_and_comes_back(project: Path) -> None:
    outcome = _writer.write(str(project), [CHANGES, GOES], FACTS, check=False)
    assert [item["action"] for item in outcome.files] == ["replace", "remove"]
    assert sorted(os.listdir(project)) == [".breakwater", "compose.yml"]
    _writer.restore(str(project), "open", [], "ops", check=False)
    back = project / "breakwater/pool/userlist.txt"
    assert back.read_bytes() == SECRET
    assert stat.S_IMODE(back.stat().st_mode) == 0o600
    assert (project / "compose.yml").read_bytes() == b"old\n"


def test_a_folder_with_other_files_stays(project: Path) -> None:
    (project / "breakwater/notes.txt").write_text("mine")
    _writer.write(str(project), [GOES], FACTS, check=False)
    assert os.listdir(project / "breakwater") == ["notes.txt"]


def test_a_file_that_was_edited_does_not_go(project: Path) -> None:
    (project / "breakwater/pool/userlist.txt").write_bytes(b"edited")
    with pytest.raises(StackError, match="changed by someone"):
        _writer.write(str(project), [CHANGES, GOES], FACTS, check=False)
    assert (project / "compose.yml").read_bytes() == b"old\n"
    assert _writer.write(str(project), [_writer.NewFile("gone.yml", None, None, None)], FACTS, check=False).files == []


def test_a_restore_can_be_told_to_remove(project: Path) -> None:
    added = _writer.NewFile("breakwater/pool/pool.ini", b"a = 1\n", None, None)
    _writer.write(str(project), [added], FACTS, check=False)
    (project / added.path).write_bytes(b"a = 2\n")
    wanted = _writer.NewFile(added.path, None, _atomic.sha256(b"a = 2\n"), None)
    outcome = _writer.restore(str(project), "open", [wanted], "ops", check=False)
    assert [item["action"] for item in outcome.files] == ["remove"]
    assert not (project / added.path).exists()


def test_a_removal_that_somebody_took_back_is_settled(project: Path) -> None:
    manifest = _writer.write(str(project), [GOES], FACTS, check=False).generation
    assert manifest is not None
    (project / "breakwater/pool").mkdir(parents=True)
    (project / GOES.path).write_bytes(SECRET)
    assert _generations.status_of(str(project), manifest["files"][0])[0] == "before"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owner_and_mode_are_set_and_repaired(project: Path) -> None:
    wanted = _writer.NewFile("breakwater/pool/key", b"k", None, 0o600, 101, 102)
    assert _writer.write(str(project), [wanted], FACTS, check=False).changed
    key = project / wanted.path
    assert (key.stat().st_uid, key.stat().st_gid, stat.S_IMODE(key.stat().st_mode)) == (101, 102, 0o600)
    _generations.close(str(project), _generations.find(str(project), "open") or {}, "kept")
    again = wanted._replace(expected=_atomic.sha256(b"k"))
    assert not _writer.write(str(project), [again], FACTS, check=True).changed
    os.chown(key, 0, 0)
    assert _writer.write(str(project), [again], FACTS, check=True).changed
