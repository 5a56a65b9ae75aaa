# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that write, run in-process; those that need an engine are tested in tests/integration/target."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.breakwater.stack.plugins.module_utils import _atomic, _generations, _lock, _module, _transport
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError

MODULES = "ansible_collections.breakwater.stack.plugins.modules"
OLD = b"services: {}\n"
NEW = b"services: {a: {environment: [PASSWORD=canary]}}\n"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Any:
    """Call a module; the result has "failed" set where it failed."""

    def run(name: str, check: bool = False, **options: Any) -> dict[str, Any]:
        module = importlib.import_module(f"{MODULES}.{name}")
        with patch_module_args({**options, "_ansible_check_mode": check}), pytest.raises(SystemExit):
            module.main()
        output = capsys.readouterr()
        assert output.err == ""
        assert "canary" not in output.out
        return dict(json.loads(output.out))

    return run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "compose.yml").write_bytes(OLD)
    return folder


def lock(project: Path, run_id: str = "r1") -> None:
    _lock.take(_generations.ensure_root(str(project)), run_id, "ops", {}, 100)


def file(content: bytes = NEW, path: str = "compose.yml", expected: bytes | None = OLD, **more: Any) -> dict[str, Any]:
    digest = None if expected is None else _atomic.sha256(expected)
    return {"path": path, "content_z": _transport.pack_bytes(content), "expected_sha256": digest, **more}


def test_a_run_from_write_to_close(project: Path, call: Any) -> None:
    lock(project)
    arguments = {"project_dir": str(project), "run_id": "r1"}
    written = call("stack_write", files=[file()], who="ops", why="limits", services=["a"], **arguments)
    assert written["changed"] is True
    assert written["files"] == [
        {
            "path": "compose.yml",
            "action": "replace",
            "before_sha256": _atomic.sha256(OLD),
            "after_sha256": _atomic.sha256(NEW),
        }
    ]
    closed = call("stack_close", **arguments)
    assert (closed["generation"], closed["released"]) == (written["generation"], True)
    assert _generations.load(str(project), written["generation"])["state"] == "kept"
    assert call("stack_close", **arguments)["released"] is False


def test_a_second_write_of_the_same_is_no_change(project: Path, call: Any) -> None:
    lock(project)
    arguments = {"project_dir": str(project), "run_id": "r1"}
    result = call("stack_write", files=[file(content=OLD)], **arguments)
    assert (result["changed"], result["generation"], result["files"]) == (False, None, [])


def test_a_run_that_fails_is_brought_back(project: Path, call: Any) -> None:
    lock(project)
    arguments = {"project_dir": str(project), "run_id": "r1"}
    call("stack_write", files=[file(), file(path="new.yml", expected=None)], services=["a"], **arguments)
    asked = call("stack_restore", check=True, project_dir=str(project))
    restored = call("stack_restore", who="ops", **arguments)
    assert asked["files"] == restored["files"]
    assert restored["services"] == ["a"]
    assert [item["action"] for item in restored["files"]] == ["replace", "remove"]
    assert (project / "compose.yml").read_bytes() == OLD
    assert not (project / "new.yml").exists()
    assert call("stack_restore", **arguments) | {"invocation": 0} == {
        "changed": False,
        "files": [],
        "generation": None,
        "services": [],
        "invocation": 0,
    }


def test_standalone_writes_keeps_and_unlocks(project: Path, call: Any) -> None:
    same = call("stack_write", project_dir=str(project), standalone=True, files=[file(content=OLD)])
    assert same["changed"] is False
    assert not (project / ".breakwater").exists()
    result = call("stack_write", project_dir=str(project), standalone=True, files=[file()])
    assert (project / "compose.yml").read_bytes() == NEW
    assert _generations.load(str(project), result["generation"])["state"] == "kept"
    assert _lock.read(str(project / ".breakwater")) is None


def test_without_the_lock_nothing_is_written(project: Path, call: Any) -> None:
    lock(project, "other")
    for name, options in (("stack_write", {"files": [file()]}), ("stack_restore", {})):
        result = call(name, project_dir=str(project), run_id="r1", **options)
        assert result["failed"]
        assert "run r1 does not hold the lock, which is held by ops, run other" in result["msg"]
    assert (project / "compose.yml").read_bytes() == OLD


def test_unlock_breaks_the_lock_of_anybody(project: Path, call: Any) -> None:
    assert call("stack_unlock", project_dir=str(project))["changed"] is False
    lock(project, "other")
    asked = call("stack_unlock", check=True, project_dir=str(project))
    assert _lock.read(str(project / ".breakwater")) is not None
    done = call("stack_unlock", project_dir=str(project))
    assert asked["changed"] is done["changed"] is True
    assert done["holder"].startswith("ops, run other")
    assert _lock.read(str(project / ".breakwater")) is None


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("stack_write", {"files": [file(), file(path="new/er.yml", expected=None)], "run_id": "r1"}),
        ("stack_write", {"files": [file()], "standalone": True}),
        ("stack_restore", {"run_id": "r1"}),
        ("stack_close", {"run_id": "r1"}),
        ("stack_unlock", {}),
    ],
)
def test_check_mode_touches_nothing(project: Path, call: Any, name: str, options: dict[str, Any]) -> None:
    def state() -> list[tuple[str, int, int, int]]:
        paths = [project, *sorted(project.rglob("*"))]
        return [(str(path), path.stat().st_ino, path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in paths]

    before = state()
    result = call(name, check=True, project_dir=str(project), **options)
    assert "failed" not in result
    assert result["changed"] is (name == "stack_write")
    assert state() == before


@pytest.mark.parametrize(
    "name", ["stack_write", "stack_restore", "stack_close", "stack_unlock", "stack_open", "stack_info"]
)
@pytest.mark.parametrize("wrong", ["missing", "file", "unset"])
def test_a_wrong_project_folder_is_one_clear_line(project: Path, call: Any, name: str, wrong: str) -> None:
    options: dict[str, Any] = {} if name in ("stack_unlock", "stack_info") else {"run_id": "r1"}
    if name == "stack_write":
        options["files"] = []
    if wrong != "unset":
        (project / "file").touch()
        options["project_dir"] = str(project / wrong)
    result = call(name, **options)
    assert result["failed"]
    assert "\n" not in result["msg"]
    assert {"missing": "does not exist", "file": "is not a folder", "unset": "project_dir"}[wrong] in result["msg"]
    assert "exception" not in result


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (file() | {"content_z": "not packed"}, "damaged"),
        (file(mode="rw"), "'0644'"),
        (file(mode="99999"), "is not a file mode"),
        (file(mode=True), "is not a file mode"),
        ({"path": "compose.yml"}, "content_z"),
    ],
)
def test_bad_files_are_one_clear_line(project: Path, call: Any, given: dict[str, Any], reason: str) -> None:
    lock(project)
    result = call("stack_write", project_dir=str(project), run_id="r1", files=[given])
    assert result["failed"]
    assert reason in result["msg"]
    assert (project / "compose.yml").read_bytes() == OLD


@pytest.mark.parametrize(("value", "mode"), [(None, None), ("0640", 0o640), ("640", 0o640), (0o640, 0o640)])
def test_modes(value: Any, mode: int | None) -> None:
    assert _module.parse_mode(value) == mode


def test_stack_open_without_docker_gives_the_lock_back(
    project: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    result = call("stack_open", project_dir=str(project), run_id="r1")
    assert "docker: command not found on this host" in result["msg"]
    assert _lock.read(str(project / ".breakwater")) is None
    lock(project, "r1")
    assert "command not found" in call("stack_open", project_dir=str(project), run_id="r1")["msg"]
    assert _lock.read(str(project / ".breakwater")) is not None


def test_stack_open_that_fails_leaves_no_folder_behind(
    project: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(project))
    options = {"project_dir": str(project), "run_id": "r1"}
    assert call("stack_open", **options)["failed"] is True
    assert os.listdir(project) == ["compose.yml"]
    lock(project)
    assert "locked by" in call("stack_open", **(options | {"run_id": "r2"}))["msg"]
    assert sorted(os.listdir(project / ".breakwater")) == [".gitignore", "generations", "lock.json"]


def test_stack_open_without_space_leaves_no_folder_behind(
    project: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: str, _content: bytes, _owner: os.stat_result) -> None:
        raise StackError("No space left on device")

    monkeypatch.setattr(_generations, "put", full)
    assert "No space" in call("stack_open", project_dir=str(project), run_id="r1")["msg"]
    assert os.listdir(project) == ["compose.yml"]


def test_stack_open_needs_a_run(project: Path, call: Any) -> None:
    assert "run_id" in call("stack_open", project_dir=str(project))["msg"]


@pytest.mark.parametrize("name", ["compose_patch", "compose_controls", "stack_deploy", "stack_verify"])
def test_actions_say_where_they_run(project: Path, call: Any, name: str) -> None:
    options = {"path": "/a", "edits": []} if name == "compose_patch" else {"project_dir": str(project)}
    assert "runs on the controller" in call(name, **options)["msg"]


def test_a_mode_error_is_ours() -> None:
    with pytest.raises(StackError):
        _module.parse_mode(-1)
