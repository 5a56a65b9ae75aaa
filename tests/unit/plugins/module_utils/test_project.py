# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _project, _transport
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError

NOTHING = _project.Variables({}, [])


def entry(path: str, content: str) -> dict[str, Any]:
    return {"path": path, "content": _transport.encode(content.encode())}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("COMPOSE_FILE=a.yml:b.yml\n", "a.yml:b.yml"),
        ("COMPOSE_FILE=a.yml\nCOMPOSE_FILE=b.yml\n", "b.yml"),
        ("export COMPOSE_FILE = 'a b.yml' # two\n", "a b.yml"),
        ('COMPOSE_FILE="a.yml"\n', "a.yml"),
        ("COMPOSE_FILE=a.yml # note\r\n", "a.yml"),
        ("# COMPOSE_FILE=a.yml\nXCOMPOSE_FILE=b.yml\n", None),
        ("COMPOSE_FILE=\n", ""),
        ("", None),
    ],
)
def test_env_value(text: str, value: str | None) -> None:
    assert _project.env_value(text, "COMPOSE_FILE") == value


def test_the_environment_wins_over_the_last_file() -> None:
    variables = _project.Variables({"A": "1", "EMPTY": ""}, ["A=2\nB=2\nEMPTY=2", "B=3"])
    assert [variables.get(name) for name in ("A", "B", "C", "EMPTY")] == ["1", "3", None, "2"]


@pytest.mark.parametrize(
    ("present", "found"),
    [
        (["compose.yaml", "docker-compose.yml"], ["compose.yaml"]),
        (["docker-compose.yaml", "docker-compose.yml"], ["docker-compose.yml"]),
        (["docker-compose.yml", "docker-compose.override.yml"], ["docker-compose.yml", "docker-compose.override.yml"]),
        (["compose.yml", "docker-compose.override.yaml"], ["compose.yml", "docker-compose.override.yaml"]),
        (["compose.yml", "compose.override.yml", "compose.override.yaml"], ["compose.yml", "compose.override.yml"]),
    ],
)
def test_default_files(tmp_path: Path, present: list[str], found: list[str]) -> None:
    for name in present:
        (tmp_path / name).touch()
    assert _project.discover(str(tmp_path), [], NOTHING) == found


def test_compose_file_and_given_files(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").touch()
    variables = _project.Variables({"COMPOSE_FILE": "a.yml:sub/b.yml:"}, [])
    assert _project.discover(str(tmp_path), [], variables) == ["a.yml", "sub/b.yml"]
    assert _project.discover(str(tmp_path), ["c.yml"], variables) == ["c.yml"]
    separated = _project.Variables({"COMPOSE_FILE": "a.yml|b.yml", "COMPOSE_PATH_SEPARATOR": "|"}, [])
    assert _project.discover(str(tmp_path), [], separated) == ["a.yml", "b.yml"]


def test_a_folder_without_compose_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "compose.override.yml").touch()
    with pytest.raises(StackError, match=r"has no Compose file \(compose\.yaml, .*check project_dir"):
        _project.discover(str(tmp_path), [], NOTHING)


def test_a_deleted_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yml").touch()
    with pytest.raises(StackError, match=r"b\.yml: does not exist; bring it back"):
        _project.read_files(str(tmp_path), ["a.yml", "b.yml"])


def test_a_file_is_read_as_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(b"\xef\xbb\xbfa: \xff\r\n")
    (tmp_path / "a.yml").chmod(0o640)
    (read,) = _project.read_files(str(tmp_path), ["a.yml"])
    assert _transport.decode(read["content"]) == b"\xef\xbb\xbfa: \xff\r\n"
    assert (read["path"], read["mode"], read["uid"]) == ("a.yml", 0o640, os.getuid())


@pytest.mark.parametrize(
    ("stated", "environment", "files", "name"),
    [
        ("Stated.Name", {"COMPOSE_PROJECT_NAME": "env"}, ["name: file"], "statedname"),
        (None, {"COMPOSE_PROJECT_NAME": "env"}, ["name: file"], "env"),
        (None, {}, ["name: one # note", "name: 'two'", "services: {}"], "two"),
        (None, {}, ['"name": "quoted#x"'], "quotedx"),
        (None, {"STAGE": "blue"}, ["name: app-${STAGE}-${TIER:-db}"], "app-blue-db"),
        (None, {}, ["services:\n  name: not-this\nx-name: nor-this"], "mystack_1"),
        (None, {}, ["services: {}"], "mystack_1"),
    ],
)
def test_project_name(stated: str | None, environment: dict[str, str], files: list[str], name: str) -> None:
    entries = [entry(f"{number}.yml", text) for number, text in enumerate(files)]
    variables = _project.Variables(environment, [])
    assert _project.project_name("/srv/_My.Stack_1", stated, variables, entries) == name


def test_referenced_files_are_found_through_each_other(tmp_path: Path) -> None:
    texts = {
        "compose.yml": 'include:\n  - one.yml\n  - path: [sub/two.yaml, "three.yml"]\n',
        "one.yml": "services:\n  a:\n    extends:\n      file: sub/base.yml\n      service: b\n",
        "sub/base.yml": "services: {b: {extends: {file: deeper.yml, service: c}}}\n",
        "sub/deeper.yml": "include: [../compose.yml]\n",
        "sub/two.yaml": "services: {}\n",
        "three.yml": "services: {}\n",
        "unrelated.yml": "services: {}\n",
    }
    (tmp_path / "sub").mkdir()
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    entries = _project.read_files(str(tmp_path), ["compose.yml"])
    found = _project.referenced_files(str(tmp_path), entries)
    assert sorted(item["path"] for item in found) == sorted(set(texts) - {"compose.yml", "unrelated.yml"})


def test_references_that_cannot_be_read_are_left_to_the_controller(tmp_path: Path) -> None:
    (tmp_path / "link.yml").symlink_to("missing.yml")
    (tmp_path / "folder.yml").mkdir()
    text = "include:\n  - link.yml\n  - folder.yml\n  - missing.yml\n  - ${WHERE}.yml\n"
    assert _project.referenced_files(str(tmp_path), [entry("compose.yml", text)]) == []


def test_a_volume_is_no_reference(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").touch()
    text = "volumes: ['./prometheus.yml:/etc/prometheus.yml:ro', prometheus.yml:/p.yml]\n"
    assert _project.referenced_files(str(tmp_path), [entry("compose.yml", text)]) == []


def test_only_variables_that_are_used_travel() -> None:
    entries = [entry("a.yml", "image: $IMAGE:${TAG:-1}\nx: ${OTHER?no}\ny: $$LITERAL")]
    environment = {"IMAGE": "redis", "TAG": "8", "SECRET": "canary", "PATH": "/bin"}
    assert _project.used_environment(entries, environment) == {"IMAGE": "redis", "TAG": "8"}
