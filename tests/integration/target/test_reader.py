# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reader says about real containers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _compose_cli, _reader
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError

from .conftest import IMAGE, Read, Up, run, service

IDLE = f"""services:
  idle:
    image: {IMAGE}
    command: [sleep, infinity]
"""
LIMITED = f"""services:
  limited:
    image: {IMAGE}
    command: [sleep, infinity]
    mem_limit: 96m
    mem_reservation: 48m
    cpus: 0.5
    pids_limit: 64
    shm_size: 32m
    restart: on-failure:3
    stop_grace_period: 45s
    init: true
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    ulimits: {{nofile: {{soft: 1000, hard: 2000}}}}
    logging: {{driver: json-file, options: {{max-size: 1m}}}}
    environment: {{GOMEMLIMIT: 80MiB, PASSWORD: canary}}
    healthcheck:
      test: [CMD, "true"]
      interval: 1s
      timeout: 1500ms
      retries: 4
"""


def test_limits_in_force_are_read(up: Up, read: Read) -> None:
    reading = read(up(LIMITED))
    container = service(reading, "limited")
    limits = container["limits"]
    expected = {
        "memory": 96 << 20,
        "memory_reservation": 48 << 20,
        "cpus": 0.5,
        "pids": 64,
        "shm_size": 32 << 20,
        "restart": "on-failure:3",
        "stop_timeout": 45,
        "log_driver": "json-file",
        "log_options": {"max-size": "1m"},
        "security_opt": ["no-new-privileges:true"],
        "cap_drop": ["ALL"],
        "read_only": True,
        "init": True,
        "ulimits": {"nofile": {"soft": 1000, "hard": 2000}},
        "env": {"GOMEMLIMIT": "80MiB"},
    }
    assert {key: limits[key] for key in expected} == expected
    assert limits["healthcheck"]["test"] == ["CMD", "true"]
    assert [limits["healthcheck"][key] for key in ("interval", "timeout", "retries")] == [1.0, 1.5, 4]
    assert (container["state"], container["health"]) == ("running", "healthy")
    assert container["config_hash"] == reading["project"]["config_hashes"]["limited"]
    assert reading["project"]["config_error"] is None
    assert "canary" not in json.dumps(_reader.summary(reading))


def test_a_limit_changed_behind_the_file_is_seen(up: Up, read: Read) -> None:
    folder = up(LIMITED)
    run("docker", "update", "--memory", "128m", "--memory-swap", "256m", service(read(folder), "limited")["id"])
    container = service(read(folder), "limited")
    assert container["limits"]["memory"] == 128 << 20
    assert container["config_hash"] == read(folder)["project"]["config_hashes"]["limited"]


HUNGRY = f"""services:
  hungry:
    image: {IMAGE}
    command:
      - sh
      - -c
      - |
        head -c 30000000 /dev/zero > /tmp/cache; cat /tmp/cache > /dev/null
        perl -e 'open F, "/dev/zero"; read F, $$x, 6e7; undef $$x; read F, $$y, 4e7; open G, ">/tmp/ready"; sleep 600' &
        while :; do :; done
    cpus: 0.5
    mem_limit: 512m
    healthcheck: {{test: [CMD, test, -e, /tmp/ready], interval: 1s, retries: 30}}
"""


def test_use_of_memory_and_cpu_is_measured(up: Up, read: Read) -> None:
    usage = service(read(up(HUNGRY)), "hungry")["usage"]
    assert 40e6 < usage["memory"] < 90e6
    assert 100e6 > usage["memory_peak"] > 58e6, "the peak of 60 MB is over, and file cache is not counted"
    assert usage["memory_peak_with_cache"] > 85e6
    assert usage["file_cache"] > 25e6
    assert usage["memory_peak"] < usage["memory_peak_with_cache"]
    assert 0.05 < usage["cpus"] < 1.2, "a throttled loop, seen through a window of one to two periods"
    assert 0.1 < usage["cpus_average"] < 0.8
    assert usage["pids"] >= 2


def test_the_host_is_described(up: Up, read: Read) -> None:
    host = read(up(IDLE))["host"]
    with open("/proc/meminfo", encoding="ascii") as file:
        total = int(file.readline().split()[1]) * 1024
    assert 0 < host["memory"] <= total
    assert 0 < host["memory_available"] < total
    assert 0 < host["others_memory"] < total
    assert host["cpus"] == os.cpu_count()
    assert host["cgroup"] in (1, 2)
    assert _compose_cli.parse_version(host["engine"]) >= _compose_cli.MINIMUM_ENGINE  # type: ignore[operator]  # not None
    assert _compose_cli.parse_version(host["compose"]) >= _compose_cli.MINIMUM_COMPOSE  # type: ignore[operator]  # same


def test_a_project_that_is_down_has_no_containers(folder: Path, read: Read) -> None:
    (folder / "compose.yml").write_text(IDLE)
    started = time.monotonic()
    reading = read(folder)
    assert [item for item in reading["containers"] if item["ours"]] == []
    assert list(reading["project"]["config_hashes"]) == ["idle"]
    assert time.monotonic() - started < 10


def test_a_stopped_container_has_no_use(up: Up, read: Read) -> None:
    folder = up(IDLE)
    run("docker", "compose", "stop", "--timeout", "0", cwd=folder)
    container = service(read(folder), "idle")
    assert (container["state"], container["usage"], container["exit_code"]) == ("exited", None, 137)


MANY_FORMS = f"""services:
  base:
    image: {IMAGE}
    command: [sleep, infinity]
    env_file: some.env
    environment: {{PRICE: "5 $$ each", B: "2"}}
    ports: ["127.0.0.1:0:80"]
    volumes: ["./x:/x", "data:/data"]
    networks: {{net: {{aliases: [other]}}}}
    deploy: {{resources: {{limits: {{memory: 64m}}}}}}
    ulimits: {{nofile: 1024}}
  extra:
    extends: {{service: base}}
    profiles: [extra]
    ports: []
    depends_on: [base]
networks: {{net: }}
volumes: {{data: }}
"""


@pytest.mark.parametrize("text", [MANY_FORMS, MANY_FORMS.replace("    env_file: some.env\n", "")])
def test_what_runs_as_the_file_says_has_its_hash(folder: Path, read: Read, text: str) -> None:
    (folder / "some.env").write_text("A=1\n")
    (folder / "compose.yml").write_text(text)
    run("docker", "compose", "--profile", "extra", "up", "--detach", cwd=folder)
    reading = read(folder)
    labels = {item["service"]: item["config_hash"] for item in reading["containers"] if item["ours"]}
    assert labels == dict(reading["project"]["config_hashes"])
    assert set(labels) == {"base", "extra"}


def test_a_variable_in_an_env_file_counts(up: Up, folder: Path, read: Read) -> None:
    (folder / "some.env").write_text("A=1\n")
    before = read(up(IDLE + "    env_file: some.env\n"))["project"]["config_hashes"]
    (folder / "some.env").write_text("A=2\n")
    assert read(folder)["project"]["config_hashes"] != before


def test_files_are_found_as_compose_finds_them(up: Up, read: Read) -> None:
    folder = up(IDLE)
    (folder / "compose.override.yml").write_text("services: {idle: {mem_limit: 64m}}\n")
    override = read(folder)["project"]
    (folder / "compose.override.yml").rename(folder / "limits.yml")
    plain = read(folder)["project"]
    (folder / ".env").write_text("COMPOSE_FILE=compose.yml:limits.yml\nCOMPOSE_PROJECT_NAME=bw-target-other\n")
    stated = read(folder)["project"]
    assert [item["path"] for item in override["files"]] == ["compose.yml", "compose.override.yml"]
    assert [item["path"] for item in plain["files"]] == ["compose.yml"]
    assert [item["path"] for item in stated["files"]] == ["compose.yml", "limits.yml"]
    assert plain["config_hashes"] != override["config_hashes"] == stated["config_hashes"]
    assert stated["name"] == "bw-target-other"
    named = json.loads(run("docker", "compose", "config", "--format", "json", cwd=folder))
    assert named["name"] == stated["name"]


@pytest.mark.parametrize(
    "text",
    [
        "name: Bw_Target.X\n",
        "name: ${UNSET:-bw-target-y}\n",
        "name: 'bw-target-z' # note\n",
        "",
        "x-name: a\n",
    ],
)
def test_the_name_is_the_one_that_compose_gives(folder: Path, read: Read, text: str) -> None:
    (folder / "compose.yml").write_text(text + IDLE)
    shown = subprocess.run(
        ["docker", "compose", "config", "--format", "json"], cwd=folder, capture_output=True, text=True, check=False
    )
    if shown.returncode != 0:
        assert read(folder)["project"]["config_error"]
    else:
        assert read(folder)["project"]["name"] == json.loads(shown.stdout)["name"]


@pytest.mark.parametrize(
    "text",
    [
        "services: [",
        "services: {a: {image: x, ports: canary, env_file: missing}}\n",
        "services: {a: {image: '${X:?canary}'}}\n",
    ],
)
def test_a_project_that_compose_refuses_is_still_read(folder: Path, read: Read, text: str) -> None:
    (folder / "compose.yml").write_text(text)
    reading = read(folder)
    assert reading["project"]["config_error"]
    assert "\n" not in reading["project"]["config_error"]
    assert reading["project"]["config_hashes"] == {}
    assert reading["host"]["engine"]


def test_an_engine_that_does_not_answer_is_said(folder: Path) -> None:
    (folder / "compose.yml").write_text(IDLE)
    request = _reader.Request(str(folder), [], None, [], [], None, True)
    started = time.monotonic()
    with pytest.raises(StackError, match=r"daemon does not answer.*check docker_host"):
        _reader.read(request, _compose_cli.Docker(None, "unix:///nowhere.sock"))
    assert time.monotonic() - started < 10


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_user_without_permission_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    (folder / "compose.yml").write_text(IDLE)
    # Of what this user may not read, a copy: the code, and the way to the project. The system's Python, not ours.
    for parent in (tmp_path, *tmp_path.parents):
        if not parent.stat().st_mode & 0o001:
            parent.chmod(0o755)
    package = "ansible_collections/breakwater/stack/plugins/module_utils"
    shutil.copytree(os.path.dirname(_reader.__file__), tmp_path / package)
    code = f"""
import os, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.path.insert(0, {str(tmp_path)!r})
from ansible_collections.breakwater.stack.plugins.module_utils import _compose_cli, _reader
try:
    _reader.read(_reader.Request({str(folder)!r}, [], None, [], [], None, True), _compose_cli.Docker())
except Exception as error:
    print(type(error).__name__, error)
"""
    said = subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, text=True, check=False, cwd="/")
    assert "StackError Docker: this user may not talk to the Docker daemon; use become: true" in said.stdout, said


@pytest.mark.parametrize(
    ("engine", "compose", "words"),
    [
        ("19.03.15", "2.26.1", "Docker Engine 19.03.15 is too old; install 20.10 or newer"),
        ("27.3.1", "2.17.3", "Docker Compose 2.17.3 is too old; install 2.18.0 or newer"),
        ("27.3.1", None, "Compose plugin is missing"),
    ],
)
def test_an_old_docker_is_refused(folder: Path, tmp_path: Path, engine: str, compose: str | None, words: str) -> None:
    """The real command answers, but for its versions: older ones are not to be had here."""
    (folder / "compose.yml").write_text(IDLE)
    info: dict[str, Any] = json.loads(run("docker", "info", "--format", "{{json .}}"))
    info["ServerVersion"] = engine
    info["ClientInfo"]["Plugins"] = [{"Name": "compose", "Version": compose}] if compose else []
    (tmp_path / "info.json").write_text(json.dumps(info))
    wrapper = tmp_path / "docker"
    wrapper.write_text(f'#!/bin/sh\n[ "$1" = info ] && exec cat {tmp_path}/info.json\nexec docker "$@"\n')
    wrapper.chmod(0o755)
    with pytest.raises(StackError, match=words):
        _reader.read(_reader.Request(str(folder), [], None, [], [], None, True), _compose_cli.Docker(str(wrapper)))


def test_reading_takes_four_processes_and_one_window(up: Up, tmp_path: Path) -> None:
    folder = up(IDLE)
    wrapper = tmp_path / "docker"
    wrapper.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/calls\nexec docker "$@"\n')
    wrapper.chmod(0o755)
    _reader.read(_reader.Request(str(folder), [], None, [], [], None, True), _compose_cli.Docker(str(wrapper)))
    assert sorted((tmp_path / "calls").read_text().split()) == ["compose", "info", "inspect", "ps"]
