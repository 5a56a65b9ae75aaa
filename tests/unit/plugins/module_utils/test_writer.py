# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _atomic, _generations, _writer
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError

FACTS = {"run_id": "r1", "who": "ops", "why": "limits", "changes": [{"service": "a"}], "services": ["a"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "compose.yml").write_bytes(b"old compose\n")
    (folder / "other.yml").write_bytes(b"old other\n")
    (folder / "other.yml").chmod(0o600)
    return folder


def change(path: str, before: bytes | None, after: bytes, mode: int | None = None) -> _writer.NewFile:
    return _writer.NewFile(path, after, None if before is None else _atomic.sha256(before), mode)


ALL = [
    change("compose.yml", b"old compose\n", b"new compose\n"),
    change("other.yml", b"old other\n", b"new other\n"),
    change("breakwater/pool/pgbouncer.yml", None, b"new file\n"),
]


def snapshot(folder: Path) -> dict[str, Any]:
    """Everything in a folder but what Breakwater keeps for itself, with inodes."""
    seen = {}
    for path in sorted(folder.rglob("*")):
        if _generations.ROOT not in path.relative_to(folder).parts:
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else None
            seen[str(path.relative_to(folder))] = (status.st_ino, status.st_mode, status.st_mtime_ns, content)
    return seen


def contents(folder: Path) -> dict[str, bytes | None]:
    return {name: values[3] for name, values in snapshot(folder).items()}


def test_writes_all_and_remembers_what_was(project: Path) -> None:
    outcome = _writer.write(str(project), ALL, FACTS, check=False)
    assert outcome.changed
    assert [(item["path"], item["action"]) for item in outcome.files] == [
        ("compose.yml", "replace"),
        ("other.yml", "replace"),
        ("breakwater/pool/pgbouncer.yml", "create"),
    ]
    assert (project / "compose.yml").read_bytes() == b"new compose\n"
    assert stat.S_IMODE((project / "other.yml").stat().st_mode) == 0o600
    assert (project / "breakwater/pool/pgbouncer.yml").read_bytes() == b"new file\n"
    manifest = _generations.find(str(project), "open")
    assert manifest == outcome.generation
    assert manifest is not None
    assert {key: manifest[key] for key in FACTS} == FACTS
    described = _generations.describe(str(project), manifest, contents=True)
    assert [entry["status"] for entry in described["files"]] == ["after"] * 3
    assert stat.S_IMODE((project / ".breakwater").stat().st_mode) == 0o700


def test_check_mode_touches_nothing(project: Path) -> None:
    before = snapshot(project)
    outcome = _writer.write(str(project), ALL, FACTS, check=True)
    assert outcome.changed
    assert outcome.generation is None
    assert len(outcome.files) == 3
    assert snapshot(project) == before
    assert not (project / ".breakwater").exists()


def test_equal_content_is_no_change(project: Path) -> None:
    before = snapshot(project)
    same = [change("compose.yml", b"old compose\n", b"old compose\n")]
    assert _writer.write(str(project), same, FACTS, check=False) == _writer.Outcome(False, [], None)
    assert snapshot(project) == before
    assert not (project / ".breakwater").exists()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([change("compose.yml", b"other", b"new")], "changed by someone"),
        ([change("missing.yml", b"other", b"new")], "was deleted"),
        ([change("compose.yml", None, b"new")], "appeared"),
        ([change("compose.yml", b"old compose\n", b"1"), change("./compose.yml", b"old compose\n", b"2")], "twice"),
        ([change(".breakwater/lock.json", None, b"new")], "keeps for itself"),
        ([change("link.yml", b"old compose\n", b"new")], "symbolic link to compose.yml"),
        ([change("../nowhere/at/all.yml", None, b"new")], "does not exist; make it"),
    ],
)
def test_what_is_not_as_planned_is_refused_before_anything_changes(
    project: Path, files: list[_writer.NewFile], reason: str
) -> None:
    (project / "link.yml").symlink_to("compose.yml")
    before = snapshot(project)
    with pytest.raises(StackError, match=reason):
        _writer.write(str(project), [*files, change("other.yml", b"old other\n", b"new")], FACTS, check=False)
    assert snapshot(project) == before
    assert _generations.find(str(project), "open") is None


@pytest.mark.parametrize("failing", range(1, 4))
def test_a_rename_that_fails_brings_back_the_ones_before(
    project: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    before = contents(project)
    real = _atomic.commit
    calls = 0

    def commit(staged: _atomic.Staged) -> None:
        nonlocal calls
        if _generations.ROOT not in staged.write.path:
            calls += 1
            if calls == failing:
                raise StackError(f"{staged.write.path}: cannot replace the file: {os.strerror(errno.EIO)}")
        real(staged)

    monkeypatch.setattr(_atomic, "commit", commit)
    with pytest.raises(StackError, match="Input/output error"):
        _writer.write(str(project), ALL, FACTS, check=False)
    assert contents(project) == before
    assert _generations.identifiers(str(project)) == []


def test_a_second_write_waits_for_the_first_to_be_settled(project: Path) -> None:
    _writer.write(str(project), ALL[:1], FACTS, check=False)
    with pytest.raises(StackError, match="still open"):
        _writer.write(str(project), ALL[1:], FACTS, check=False)


def test_restore_is_byte_for_byte_and_can_be_repeated(project: Path) -> None:
    before = contents(project)
    _writer.write(str(project), ALL, FACTS, check=False)
    asked = _writer.restore(str(project), "open", [], "ops", check=True)
    assert asked.changed
    assert (project / "compose.yml").read_bytes() == b"new compose\n"
    done = _writer.restore(str(project), "open", [], "ops", check=False)
    assert [(item["path"], item["action"]) for item in done.files] == [
        ("compose.yml", "replace"),
        ("other.yml", "replace"),
        ("breakwater/pool/pgbouncer.yml", "remove"),
    ]
    assert asked.files == done.files
    assert contents(project) == before
    assert stat.S_IMODE((project / "other.yml").stat().st_mode) == 0o600
    assert _generations.find(str(project), "open") is None
    assert _writer.restore(str(project), "open", [], "ops", check=False) == _writer.Outcome(False, [], None)
    again = _writer.restore(str(project), "latest", [], "ops", check=False)
    assert (again.changed, [item["action"] for item in again.files]) == (False, ["none"] * 3)


def test_a_folder_that_got_other_files_stays(project: Path) -> None:
    _writer.write(str(project), ALL, FACTS, check=False)
    (project / "breakwater/pool/theirs").touch()
    _writer.restore(str(project), "open", [], "ops", check=False)
    assert "breakwater/pool/theirs" in contents(project)
    assert "breakwater/pool/pgbouncer.yml" not in contents(project)


def edit(path: Path) -> None:
    path.write_bytes(b"edited by someone\n")


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("disturb", "word"), [(edit, "changed"), (Path.unlink, "deleted"), (replace_by_folder, "unreadable")]
)
def test_what_was_changed_since_is_never_overwritten(project: Path, disturb: Any, word: str) -> None:
    _writer.write(str(project), ALL, FACTS, check=False)
    disturb(project / "compose.yml")
    before = snapshot(project)
    with pytest.raises(StackError, match=rf"compose\.yml \({word} since\).*nothing was written"):
        _writer.restore(str(project), "open", [], "ops", check=False)
    assert snapshot(project) == before
    assert _generations.find(str(project), "open") is not None


def test_a_file_that_moved_on_gets_the_wanted_content(project: Path) -> None:
    _writer.write(str(project), ALL, FACTS, check=False)
    edit(project / "compose.yml")
    wanted = change("compose.yml", b"edited by someone\n", b"taken back\n")
    stale = change("compose.yml", b"something else\n", b"taken back\n")
    with pytest.raises(StackError, match="changed since"):
        _writer.restore(str(project), "open", [stale], "ops", check=False)
    _writer.restore(str(project), "open", [wanted], "ops", check=False)
    assert contents(project) == {"compose.yml": b"taken back\n", "other.yml": b"old other\n"}


def test_replacements_are_for_files_of_the_generation(project: Path) -> None:
    _writer.write(str(project), ALL[:1], FACTS, check=False)
    with pytest.raises(StackError, match="not part of generation"):
        _writer.restore(str(project), "open", [ALL[1]], "ops", check=False)


def test_a_damaged_copy_is_not_brought_back(project: Path) -> None:
    outcome = _writer.write(str(project), ALL[:1], FACTS, check=False)
    assert outcome.generation is not None
    copy = project / ".breakwater/generations" / outcome.generation["id"] / "before-0"
    copy.write_bytes(b"half")
    with pytest.raises(StackError, match="missing or damaged"):
        _writer.restore(str(project), "open", [], "ops", check=False)
    assert (project / "compose.yml").read_bytes() == b"new compose\n"


def run_through(project: Path, count: int) -> list[str]:
    """Write and keep count generations."""
    identifiers = []
    for number in range(count):
        before = (project / "compose.yml").read_bytes()
        file = change("compose.yml", before, f"version {number}\n".encode())
        outcome = _writer.write(str(project), [file], FACTS, check=False)
        assert outcome.generation is not None
        _generations.close(str(project), outcome.generation, "kept")
        identifiers.append(outcome.generation["id"])
    return identifiers


def test_old_generations_go_and_the_last_never(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_795_000_000, 1_796_000_000))
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    identifiers = run_through(project, 5)
    opened = _writer.write(str(project), [ALL[1]], FACTS, check=False).generation
    assert opened is not None
    assert _generations.prune(str(project), keep=2) == identifiers[:3]
    assert _generations.prune(str(project), keep=0) == identifiers[3:4]
    assert _generations.identifiers(str(project)) == [identifiers[4], opened["id"]]
    assert [item["state"] for item in _generations.history(str(project))] == ["open", "kept"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"id": "x"}', b"\xff"])
def test_a_damaged_manifest_is_said_and_never_passed_over(project: Path, damage: bytes) -> None:
    outcome = _writer.write(str(project), ALL[:1], FACTS, check=False)
    assert outcome.generation is not None
    path = project / ".breakwater/generations" / outcome.generation["id"] / "manifest.json"
    path.write_bytes(damage)
    with pytest.raises(StackError, match=r"manifest\.json: is damaged"):
        _generations.find(str(project), "open")


def test_a_manifest_of_another_version_is_left_to_it(project: Path) -> None:
    outcome = _writer.write(str(project), ALL[:1], FACTS, check=False)
    assert outcome.generation is not None
    path = project / ".breakwater/generations" / outcome.generation["id"] / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))
    with pytest.raises(StackError, match="another version"):
        _generations.find(str(project), "open")


@pytest.mark.parametrize("identifier", ["20200101T000000Z-abcd", "../../etc", "", "latest "])
def test_an_unknown_generation_names_the_known(project: Path, identifier: str) -> None:
    known = run_through(project, 1)[0]
    with pytest.raises(StackError, match=f"no generation.*{known}"):
        _generations.load(str(project), identifier)


@pytest.mark.parametrize("name", [".breakwater", ".breakwater/generations"])
def test_a_link_in_the_place_of_our_folder_is_refused(project: Path, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).symlink_to(elsewhere)
    with pytest.raises(StackError, match="is not a folder"):
        _writer.write(str(project), ALL, FACTS, check=False)
    assert os.listdir(elsewhere) == []


def test_cleaning_removes_leftovers_and_nothing_else(project: Path) -> None:
    run_through(project, 1)
    kept = snapshot(project)
    generations = project / ".breakwater/generations"
    leftovers = [
        project / ".breakwater-0123456789abcdef.tmp",
        project / ".breakwater/.breakwater-0123456789abcdef.tmp",
        generations / ".new-20261124T090500Z-3f2a",
        generations / ".old-20261124T090500Z-3f2a",
    ]
    for path in leftovers:
        path.mkdir() if path.name.startswith((".new", ".old")) else path.touch()
    assert _generations.clean(str(project), []) == sorted(map(str, leftovers))
    assert not any(path.exists() for path in leftovers)
    assert {name: value[3] for name, value in kept.items()} == contents(project)
    assert len(_generations.identifiers(str(project))) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (str, "does not exist; check project_dir"),
        (lambda path: path.touch(), "is not a folder"),
        (lambda path: path.symlink_to("nowhere"), "is not a folder"),
    ],
)
def test_a_wrong_project_folder_is_named(tmp_path: Path, make: Any, words: str) -> None:
    path = tmp_path / "project"
    make(path)
    with pytest.raises(StackError, match=words):
        _writer.check_directory(str(path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owners_follow_the_project(project: Path) -> None:
    for path in (project, project / "compose.yml"):
        os.chown(path, 12345, 23456)
    _writer.write(str(project), ALL, FACTS, check=False)
    ours = [project / ".breakwater", *(project / ".breakwater").rglob("*")]
    new = [project / "breakwater", project / "breakwater/pool", project / "breakwater/pool/pgbouncer.yml"]
    for path in (*ours, *new, project / "compose.yml"):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456), path
    assert (project / "other.yml").stat().st_uid == 0
    shutil.rmtree(project)
