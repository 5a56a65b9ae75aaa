# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import MAX_BYTES
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from breakwater.inputs import collect, read_bytes, read_env, read_text


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("services: {}\n")


def names(*arguments: str) -> list[list[str]]:
    groups, errors = collect(list(arguments))
    assert errors == []
    return [group.names for group in groups]


def test_base_and_override_are_one_project_others_their_own() -> None:
    touch("compose.yaml", "compose.override.yaml", "docker-compose.prod.yml", "other.yml", "compose.txt")
    assert names(".") == [["compose.yaml", "compose.override.yaml"], ["docker-compose.prod.yml"]]


def test_named_files_are_projects_of_their_own() -> None:
    touch("compose.yaml", "compose.override.yaml")
    assert names("compose.yaml", "compose.override.yaml") == [["compose.yaml"], ["compose.override.yaml"]]


def test_folders_below_are_visited_in_order_and_hidden_ones_are_not() -> None:
    touch("b/compose.yml", "a/x/docker-compose.yaml", ".git/compose.yml", "node_modules/p/compose.yml")
    assert names(".") == [["./a/x/docker-compose.yaml"], ["./b/compose.yml"]]
    assert names("b") == [["b/compose.yml"]]


def test_compose_file_of_the_env_file_decides() -> None:
    touch("docker-compose.yml", "docker-compose.prod.yml")
    Path(".env").write_text("COMPOSE_FILE=docker-compose.yml:docker-compose.prod.yml\n")
    assert names(".") == [["docker-compose.yml", "docker-compose.prod.yml"]]


def test_a_file_is_judged_once() -> None:
    touch("compose.yml")
    assert names("compose.yml", ".", "./compose.yml") == [["compose.yml"]]


def test_a_folder_without_compose_files_is_an_error() -> None:
    touch("values.yml")
    _, errors = collect(["."])
    assert [str(error) for error in errors] == [".: no Compose file in this folder; name the file, or another folder"]


def test_standard_input_goes_by_the_name_that_is_given() -> None:
    groups, _ = collect(["-"], "deploy/compose.yml")
    assert (groups[0].paths, groups[0].names, groups[0].folder) == (["-"], ["deploy/compose.yml"], "deploy")


def test_only_regular_files_are_read() -> None:
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        for name, kind in (("pipe", "a named pipe"), (".", "a folder"), ("/dev/null", "a device")):
            with pytest.raises(ComposeError, match=f"is {kind}, not a file"):
                read_bytes(name)
        with pytest.raises(ComposeError, match="cannot be read"):
            read_bytes("socket")


@pytest.mark.parametrize("name", ["missing.yml", "a\0b.yml", "x" * 300])
def test_a_name_that_leads_nowhere(name: str) -> None:
    with pytest.raises(ComposeError, match=r"cannot be read: .*; check the name"):
        read_bytes(name)


def test_too_large_is_refused_by_its_size_alone() -> None:
    with open("huge.yml", "wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ComposeError, match="too large to be a Compose file"):
        read_bytes("huge.yml")


def test_text_keeps_its_byte_order_mark() -> None:
    Path("bom.yml").write_bytes(b"\xef\xbb\xbfservices: {}\r\n")
    assert read_text("bom.yml", "bom.yml") == "\ufeffservices: {}\r\n"


def test_env_file_beside_the_compose_file() -> None:
    assert read_env(".") == {}
    Path("d").mkdir()
    Path("d/.env").write_text("A=1\nB=$A\n")
    assert read_env("d") == {"A": "1", "B": "1"}
    Path("d/.env").write_text("A='x\n")
    with pytest.raises(ComposeError, match=r"^d/\.env:1: "):
        read_env("d")
