# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job over SSH, on hosts with nothing but Python and Docker."""

from __future__ import annotations

import pytest

from .conftest import COMPOSE, DIRECTORY, Hosts

NOTHING = (0, 0, 0)


def test_the_hosts_have_nothing_but_python_and_docker(hosts: Hosts) -> None:
    for host in hosts.names:
        programs = "curl wget git pip pip3 sudo ansible jq docker python3"
        found = hosts.sh(host, f"for program in {programs}; do command -v $program; done", check=False)
        assert found.split() == ["/usr/bin/docker", "/usr/bin/python3"]
        assert hosts.sh(host, "python3 -c 'import yaml' 2>&1 || echo none", check=False).splitlines()[-1] == "none"


def test_harden_verify_and_roll_back_on_two_hosts_at_once(stacks: Hosts) -> None:
    first, second = stacks.names
    hardened = stacks.play("harden.yml")
    assert hardened.code == 0, hardened.output
    for host in stacks.names:
        assert hardened.recap[host]["changed"] > 0
        for service in ("cache", "app"):
            assert all(stacks.limits(host, service)), f"{service} on {host}: {stacks.limits(host, service)}"
        assert stacks.sh(host, f"ls {DIRECTORY}/.breakwater").split() == ["generations"]
    running = {host: stacks.ids(host) for host in stacks.names}

    again = stacks.play("harden.yml")
    assert again.code == 0, again.output
    assert [again.recap[host]["changed"] for host in stacks.names] == [0, 0], again.output
    assert {host: stacks.ids(host) for host in stacks.names} == running

    verified = stacks.play("verify.yml")
    assert verified.code == 0, verified.output

    back = stacks.play("rollback.yml", "--limit", first)
    assert back.code == 0, back.output
    assert stacks.text(first) == COMPOSE
    assert stacks.limits(first, "cache") == stacks.limits(first, "app") == NOTHING
    assert stacks.ids(second) == running[second]
    assert all(stacks.limits(second, "cache"))


def test_verify_names_a_limit_that_is_not_in_force(stacks: Hosts) -> None:
    first, second = stacks.names
    assert stacks.play("harden.yml").code == 0
    stacks.sh(second, "docker update --memory 1g --memory-swap 2g shop-app-1")
    verified = stacks.play("verify.yml")
    assert verified.code != 0
    assert verified.recap[first]["failed"] == 0
    assert verified.recap[second]["failed"] == 1
    assert "app: memory limit" in verified.output, verified.output


def test_limit_touches_one_host(stacks: Hosts) -> None:
    first, second = stacks.names
    before, running = stacks.listing(second), stacks.ids(second)
    hardened = stacks.play("harden.yml", "--limit", first)
    assert hardened.code == 0, hardened.output
    assert all(stacks.limits(first, "app"))
    assert stacks.listing(second) == before
    assert stacks.ids(second) == running


def test_one_host_that_fails_does_not_hold_up_the_other(stacks: Hosts) -> None:
    first, second = stacks.names
    stacks.put(first, DIRECTORY, "services: [")
    hardened = stacks.play("harden.yml")
    assert hardened.recap[first]["failed"] == 1, hardened.output
    assert hardened.recap[second]["failed"] == 0, hardened.output
    assert all(stacks.limits(second, "app"))


@pytest.fixture
def ops(hosts: Hosts) -> str:
    """Give the first host a user who may use Docker and one who may not."""
    host = hosts.names[0]
    key = "mkdir -p /home/$user/.ssh && cp /root/.ssh/authorized_keys /home/$user/.ssh/ && chown -R $user /home/$user"
    for user, groups in (("ops", "-G docker"), ("dev", "")):
        hosts.sh(host, f"id {user} || (user={user}; useradd -m -s /bin/sh {groups} $user && {key})")
    return host


@pytest.mark.parametrize("way", ["login", "become"])
def test_an_unprivileged_user_who_owns_the_project(stacks: Hosts, ops: str, way: str) -> None:
    stacks.sh(ops, f"chown -R ops:ops {DIRECTORY} && chmod 640 {DIRECTORY}/compose.yml")
    login = {"ansible_user": "ops"}
    become = {"ansible_become": True, "ansible_become_method": "su", "ansible_become_user": "ops"}
    hardened = stacks.play("harden.yml", "--limit", ops, **(login if way == "login" else become))
    assert hardened.code == 0, hardened.output
    assert all(stacks.limits(ops, "app"))
    assert stacks.sh(ops, f"stat -c '%U %a' {DIRECTORY}/compose.yml").split() == ["ops", "640"]
    assert stacks.sh(ops, f"find {DIRECTORY} ! -user ops") == ""


def test_a_user_who_may_not_talk_to_docker(stacks: Hosts, ops: str) -> None:
    stacks.sh(ops, f"chown -R dev:dev {DIRECTORY}")
    before, running = stacks.listing(ops), stacks.ids(ops)
    hardened = stacks.play("harden.yml", "--limit", ops, ansible_user="dev")
    assert hardened.code == 2
    assert "this user may not talk to the Docker daemon; use become: true" in hardened.output
    assert "Traceback" not in hardened.output
    assert stacks.ids(ops) == running
    assert stacks.listing(ops) == before
