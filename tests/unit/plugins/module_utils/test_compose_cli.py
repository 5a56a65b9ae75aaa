# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _compose_cli, _reader
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError


def script(folder: Path, body: str) -> str:
    path = folder / "docker"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_no_docker_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match=r"docker: command not found.*install Docker Engine"):
        _compose_cli.Docker()
    with pytest.raises(StackError, match="/nowhere/docker: command not found"):
        _compose_cli.Docker("/nowhere/docker")


def test_a_command_that_cannot_start_is_said(tmp_path: Path) -> None:
    binary = script(tmp_path, "exit 0")
    docker = _compose_cli.Docker(binary)
    os.unlink(binary)
    with pytest.raises(StackError, match="cannot be started: No such file"):
        docker.run(["ps"])


def test_runs_with_the_engine_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "other")
    docker = _compose_cli.Docker(script(tmp_path, 'echo "$DOCKER_HOST,$DOCKER_CONTEXT,$*"; exit 3'), "tcp://engine")
    assert docker.run(["ps", "-a b"]) == _compose_cli.Result(3, "tcp://engine,,ps -a b\n", "")


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    marker = tmp_path / "survived"
    docker = _compose_cli.Docker(script(tmp_path, f"(sleep 1; touch {marker}) & sleep 60"))
    started = time.monotonic()
    with pytest.raises(StackError, match=r"docker ps: gave no answer within 0 s"):
        docker.run(["ps"], timeout=0.3)
    assert time.monotonic() - started < 5
    time.sleep(1.1)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            "become: true",
        ),
        ("Got permission denied ... /var/run/docker.sock: connect: permission denied", "become: true"),
        ("Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?", "systemctl start"),
        ("error during connect: Get http://x: dial tcp: lookup x: no such host", "check docker_host"),
        ("docker: 'compose' is not a docker command.\nSee 'docker --help'", "Compose plugin is missing"),
        ("docker: unknown command: docker compose\n\nRun 'docker --help'", "Compose plugin is missing"),
        ("unknown shorthand flag: 'f' in -f", "Compose plugin is missing"),
        ("first\nsomething odd", "cannot list the containers: something odd"),
        ("", "cannot list the containers: exit code 7"),
    ],
)
def test_failures_say_what_to_do(stderr: str, words: str) -> None:
    message = str(_compose_cli.failure("list the containers", _compose_cli.Result(7, "", stderr)))
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("engine", "compose", "reason"),
    [
        ("20.10.24+dfsg1", "2.26.1-4", ""),
        ("20.10", "v2.18.0", ""),
        ("29.0.0", "5.0.1", ""),
        ("dev", "main-build", ""),
        ("19.03.15", "2.26.1", "Docker Engine 19.03.15 is too old; install 20.10 or newer"),
        ("27.3.1", "v2.17.3", "Docker Compose v2.17.3 is too old; install 2.18.0 or newer"),
        ("27.3.1", "1.29.2", "Docker Compose 1.29.2 is too old"),
        ("27.3.1", None, "Compose plugin is missing"),
    ],
)
def test_versions(engine: str, compose: str | None, reason: str) -> None:
    if not reason:
        _compose_cli.check_versions(engine, compose)
        return
    with pytest.raises(StackError, match=reason):
        _compose_cli.check_versions(engine, compose)


@pytest.mark.parametrize(
    ("plugins", "version"),
    [
        ([{"Name": "buildx", "Version": "0.1"}, {"Name": "compose", "Version": "v2.26.1"}], "v2.26.1"),
        ([{"Name": "compose", "Err": "exec format error"}], None),
        (None, None),
    ],
)
def test_the_version_of_the_plugin(plugins: object, version: str | None) -> None:
    assert _reader.compose_version({"ClientInfo": {"Plugins": plugins}}) == version


def test_compose_arguments() -> None:
    arguments = _compose_cli.compose_arguments("/opt/app", ["a.yml", "b.yml"], "app", ["x.env"], ["dev"])
    assert " ".join(arguments) == (
        "compose --project-directory /opt/app --project-name app --file a.yml --file b.yml "
        "--env-file x.env --profile dev"
    )
    assert _compose_cli.compose_arguments("/opt/app", [], None, [], []) == [
        "compose",
        "--project-directory",
        "/opt/app",
    ]


def test_config_hashes() -> None:
    assert _compose_cli.parse_config_hashes("one f5c7\ntwo fc3b\n\nodd line here\n") == {"one": "f5c7", "two": "fc3b"}
