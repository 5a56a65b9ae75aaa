# SPDX-License-Identifier: GPL-3.0-or-later
"""Accessors of a service: both syntaxes, unknown values, and where a value stands."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.service import Service

MIB = 1024 * 1024


def service(body: str, environment: Mapping[str, str] | None = None, strict: bool = False) -> Service:
    """Load one service whose settings are written in flow style or as a block."""
    text = "services:\n  a:\n" + "".join(f"    {line}\n" for line in body.splitlines())
    return load_project([SourceFile("compose.yml", text)], environment, strict=strict).services["a"]


LIMITS = "deploy:\n  resources:\n    limits: {memory: 256M, cpus: '0.5', pids: 9}\n    reservations: {memory: 64m}"


def test_limits_in_the_short_syntax() -> None:
    found = service("mem_limit: 512m\nmem_reservation: 64m\ncpus: 1.5\npids_limit: 200\nshm_size: 128mb\nscale: 3")
    assert (found.memory_limit, found.memory_reservation, found.cpus) == (512 * MIB, 64 * MIB, 1.5)
    assert (found.pids_limit, found.shm_size, found.replicas) == (200, 128 * MIB, 3)


def test_limits_in_the_deploy_section() -> None:
    found = service(LIMITS)
    assert (found.memory_limit, found.memory_reservation, found.cpus) == (256 * MIB, 64 * MIB, 0.5)
    assert (found.pids_limit, found.shm_size, found.replicas) == (9, None, 1)


def test_the_deploy_section_wins_unless_it_says_zero() -> None:
    limits = "deploy: {resources: {limits: {memory: %s}}}\nmem_limit: 512m"
    assert service(limits % "256m").memory_limit == 256 * MIB
    assert service(limits % "0").memory_limit == 512 * MIB


@pytest.mark.parametrize("body", ["mem_limit: 0\ncpus: 0\npids_limit: -1", "image: x", "deploy: {}", "deploy:"])
def test_no_limit_is_none(body: str) -> None:
    found = service(body)
    assert (found.memory_limit, found.cpus, found.pids_limit) == (None, None, None)


def test_a_limit_goes_where_compose_accepts_it() -> None:
    assert service("image: x").resource_home("memory") == ("mem_limit",)
    assert service("mem_limit: 1g").resource_home("memory") == ("mem_limit",)
    beside = service("deploy: {resources: {limits: {cpus: '1'}}}")
    assert beside.resource_place("memory") is None
    assert beside.resource_home("memory") == ("deploy", "resources", "limits", "memory")
    assert beside.resource_home("memory_reservation") == ("mem_reservation",)
    assert service(LIMITS).resource_place("cpus") == ("deploy", "resources", "limits", "cpus")


def test_unknown_values_are_none_and_say_so() -> None:
    found = service(
        "image: 'pg:${TAG}'\nmem_limit: ${MEM}\nports: ['${P}:80', '81:81']\nhealthcheck: {interval: '${I}'}"
    )
    assert found.image == "pg:${TAG}"
    assert found.memory_limit is None
    assert found.is_unknown(("mem_limit",))
    assert found.is_unknown(("ports",))
    assert not found.is_unknown(("ports", 1))
    assert [port.target for port in found.ports] == [81]
    assert found.healthcheck == {"disable": False}


def test_a_default_is_a_value_and_a_given_variable_wins() -> None:
    assert service("mem_limit: ${MEM:-300m}").memory_limit == 300 * MIB
    assert service("mem_limit: ${MEM:-300m}", {"MEM": "1g"}).memory_limit == 1024 * MIB
    assert service("mem_limit: ${MEM}", {"MEM": "1g"}).memory_limit == 1024 * MIB


def test_a_complete_environment_leaves_nothing_unknown() -> None:
    found = service("image: 'pg:${TAG}'\nenvironment: [A, 'B=${NONE}']", {"A": "1"}, strict=True)
    assert found.image == "pg:"
    assert found.environment == {"A": "1", "B": ""}


@pytest.mark.parametrize(
    ("body", "style"), [("environment: [A=1, B]", "list"), ("environment: {A: 1, B: }", "map"), ("image: x", None)]
)
def test_environment_in_both_forms(body: str, style: str | None) -> None:
    found = service(body)
    assert found.environment_style == style
    assert found.environment == ({"A": "1", "B": None} if style else {})


def test_command_and_entry_point_in_both_forms() -> None:
    found = service("command: run -x 'a b'\nentrypoint: [/entry, 1]")
    assert (found.command, found.command_style) == (["run", "-x", "a b"], "string")
    assert (found.entrypoint, found.entrypoint_style) == (["/entry", "1"], "list")
    assert service("image: x").command is None
    assert service("command: ['$$HOME']").command == ["$HOME"]
    assert service('command: "x \'${A}"').command == ["x '${A}"]


@pytest.mark.parametrize(
    ("body", "check"),
    [
        ("healthcheck: {test: exit 0}", {"test": ["CMD-SHELL", "exit 0"], "disable": False}),
        ("healthcheck: {test: [CMD, a]}", {"test": ["CMD", "a"], "disable": False}),
        ("healthcheck: {test: [NONE]}", {"test": ["NONE"], "disable": True}),
        ("healthcheck: {disable: true}", {"disable": True}),
        (
            "healthcheck: {interval: 1m30s, timeout: 5s, start_period: 1s, start_interval: 500ms, retries: 3}",
            {"interval": 90, "timeout": 5, "start_period": 1, "start_interval": 0.5, "retries": 3, "disable": False},
        ),
        ("image: x", None),
    ],
)
def test_health_checks(body: str, check: dict[str, object] | None) -> None:
    assert service(body).healthcheck == check


def test_dependencies_in_both_forms() -> None:
    started = {"condition": "service_started", "required": True, "restart": False}
    assert service("depends_on: [b]").depends_on == {"b": started}
    found = service("depends_on:\n  b: {condition: service_healthy, restart: true}\n  c: {required: false}").depends_on
    assert found["b"] == {"condition": "service_healthy", "required": True, "restart": True}
    assert found["c"] == {"condition": "service_started", "required": False, "restart": False}


def test_ports_and_volumes_know_their_lines() -> None:
    found = service("ports:\n  - '80:80'\n  - target: 81\n    published: 8081\nvolumes:\n  - ./d:/d/:ro")
    assert [(port.published, port.target, port.line) for port in found.ports] == [("80", 80, 4), ("8081", 81, 5)]
    assert [(volume.target, volume.read_only, volume.line) for volume in found.volumes] == [("/d", True, 8)]


@pytest.mark.parametrize(
    ("body", "policy"),
    [
        ("restart: unless-stopped", "unless-stopped"),
        ("restart: 'no'", "no"),
        ("image: x", None),
        ("deploy: {restart_policy: {condition: any}}", "always"),
        ("restart: always\ndeploy: {restart_policy: {condition: none}}", "no"),
        ("deploy: {restart_policy: {condition: on-failure, max_attempts: 5}}", "on-failure:5"),
    ],
)
def test_restart_policies(body: str, policy: str | None) -> None:
    assert service(body).restart == policy


def test_the_other_settings() -> None:
    found = service(
        "ulimits: {nofile: 9, nproc: {soft: 1, hard: 2}}\nlogging: {driver: local, options: {max-size: 10m}}\n"
        "cap_drop: [ALL]\nsecurity_opt: ['no-new-privileges:true']\nprivileged: yes\nread_only: false\n"
        "stop_grace_period: 1m\nprofiles: [debug]\nlabels: [a=1, b]\nenv_file: [a.env, {path: b.env}]\nuser: 1000"
    )
    assert found.ulimits == {"nofile": (9, 9), "nproc": (1, 2)}
    assert found.logging == ("local", {"max-size": "10m"})
    assert found.strings("cap_drop") == ["ALL"]
    assert found.strings("security_opt") == ["no-new-privileges:true"]
    assert (found.flag("privileged"), found.flag("read_only"), found.flag("init")) == (True, False, None)
    assert (found.stop_grace_period, found.profiles) == (60, ["debug"])
    assert found.labels == {"a": "1", "b": ""}
    assert found.env_files == ["a.env", "b.env"]
    assert found.text("user") == "1000"


def test_origin_of_keys_items_and_the_service() -> None:
    found = service("environment:\n  - A=1\n  - B=2\nmem_limit: 1g\nports: ['80:80']")
    assert found.origin() == (0, 2)
    assert found.origin(("mem_limit",)) == (0, 6)
    assert found.origin(("environment", "B")) == (0, 5)
    assert found.origin(("environment", 0)) == (0, 4)
    assert found.origin(("ports", 0)) == (0, 7)
    for path in (("cpus",), ("environment", "C"), ("ports", 3), ("mem_limit", "x"), ("nothing", "at", "all")):
        assert found.origin(path) is None
