# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on hosts: no Docker, no permission, no space, an engine or a controller that dies half-way."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import COMPOSE, DIRECTORY, ROOT, Hosts

KILL_ENGINE = "kill -9 $(cat /var/run/docker.pid)"
WAIT_FOR_ENGINE = "for i in $(seq 60); do docker info >/dev/null 2>&1 && exit 0; sleep 0.5; done; exit 1"


def start_engine(hosts: Hosts, host: str) -> None:
    """Start a host's engine after KILL_ENGINE and wait until it answers."""
    hosts.sh(host, f"rm -f /var/run/docker.pid; start-engine; {WAIT_FOR_ENGINE}")


def errors_of(output: str) -> list[str]:
    """Give the messages of the tasks that failed, as Ansible shows them first."""
    return [line for line in output.splitlines() if line.startswith("[ERROR]: ")]


class Running:
    """A playbook that runs, in a process group of its own."""

    def __init__(self, hosts: Hosts, host: str, **settings: object) -> None:
        self.process = subprocess.Popen(
            hosts.command("harden.yml", "--limit", host, **settings),
            cwd=ROOT,
            env={**hosts.environment(), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""

    def until(self, text: str) -> None:
        """Read its output up to a line that holds a text."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if text in line:
                return
        pytest.fail(f"it never said {text!r}:\n{self.output}")

    def end(self) -> int:
        """Wait for its end; gives its exit code."""
        rest, _none = self.process.communicate(timeout=240)
        self.output += rest
        return self.process.returncode

    def kill(self) -> None:
        """Kill it with all its children on this machine."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=60)


@pytest.mark.parametrize("fault", ["engine stopped", "no docker command", "no Compose plugin"])
def test_a_host_without_docker(hosts: Hosts, first: str, fault: str) -> None:
    before = hosts.listing(first)
    plugin = "/usr/libexec/docker/cli-plugins/docker-compose"
    breaking, mending, said = {
        "engine stopped": (KILL_ENGINE, "", "Docker: the daemon does not answer"),
        "no docker command": (
            "mv /usr/bin/docker /usr/bin/away",
            "mv /usr/bin/away /usr/bin/docker",
            "docker: command not found on this host; install Docker Engine with the Compose plugin",
        ),
        "no Compose plugin": (
            f"mv {plugin} /root",
            f"mv /root/docker-compose {plugin}",
            "the Compose plugin is missing",
        ),
    }[fault]
    hosts.sh(first, breaking)
    try:
        hardened = hosts.play("harden.yml", "--limit", first)
        after = hosts.listing(first)
    finally:
        if mending:
            hosts.sh(first, mending)
        else:
            start_engine(hosts, first)
    assert hardened.code == 2, hardened.output
    assert len(errors_of(hardened.output)) == 1, hardened.output
    assert said in errors_of(hardened.output)[0]
    assert "Traceback" not in hardened.output
    assert after == before


@pytest.fixture
def small(hosts: Hosts, first: str) -> Iterator[str]:
    """Give the first host a project folder of 128 KiB with the project in it, running."""
    folder = "/opt/small"
    hosts.sh(first, f"mkdir -p {folder} && mount -t tmpfs -o size=128k tmpfs {folder}")
    hosts.put(first, folder)
    yield folder
    hosts.sh(first, f"umount --lazy {folder} && rmdir {folder}")


@pytest.mark.parametrize("fault", ["read-only", "full"])
def test_a_project_folder_that_cannot_be_written(hosts: Hosts, first: str, small: str, fault: str) -> None:
    breaking, said = {
        "read-only": (f"mount -o remount,ro {small}", "Read-only file system; the file system is mounted read-only"),
        "full": (f"dd if=/dev/zero of={small}/ballast bs=4k 2>/dev/null || true", "No space left on device; free some"),
    }[fault]
    hosts.sh(first, breaking)
    before, running = hosts.listing(first, small), hosts.ids(first)
    hardened = hosts.play("harden.yml", "--limit", first, breakwater_project_dir=small)
    assert hardened.code == 2, hardened.output
    assert said in errors_of(hardened.output)[0], hardened.output
    assert "Traceback" not in hardened.output
    assert hosts.listing(first, small) == before
    assert hosts.ids(first) == running


def test_space_that_ends_while_the_generation_is_written(hosts: Hosts, first: str, small: str) -> None:
    """Room for the lock, and not for the copies and the new file."""
    hosts.sh(first, f"mkdir -m 700 -p {small}/.breakwater/generations; printf '*\\n' > {small}/.breakwater/.gitignore")
    for left in (4, 16):
        hosts.sh(first, f"rm -f {small}/ballast; dd if=/dev/zero of={small}/ballast bs=4k 2>/dev/null || true")
        hosts.sh(first, f"truncate --size=-{left}k {small}/ballast")
        hardened = hosts.play("harden.yml", "--limit", first, breakwater_project_dir=small)
        assert hosts.text(first, small) == COMPOSE, f"{left} KiB: {hardened.output}"
        assert hardened.code == 2, hardened.output
        assert "No space left on device" in errors_of(hardened.output)[0], hardened.output
        left_over = hosts.sh(first, f"cd {small} && find . -type f").split()
        assert sorted(left_over) == ["./.breakwater/.gitignore", "./ballast", "./compose.yml"], left_over
    hosts.sh(first, f"rm {small}/ballast")
    assert hosts.play("harden.yml", "--limit", first, breakwater_project_dir=small).code == 0


@pytest.mark.parametrize("name", ["TERM", "KILL"])
def test_the_engine_is_restarted_in_the_middle_of_a_deployment(hosts: Hosts, first: str, name: str) -> None:
    run = Running(hosts, first)
    run.until("recreating")
    time.sleep(0.5)
    hosts.sh(first, f"kill -{name} $(cat /var/run/docker.pid)")
    time.sleep(2)
    start_engine(hosts, first)
    code = run.end()
    assert "Traceback" not in run.output
    assert len(hosts.ids(first)) == 2, run.output
    hardened = [all(hosts.limits(first, service)) for service in ("cache", "app")]
    assert hardened == ([True, True] if code == 0 else [False, False]), run.output
    assert code == 0 or hosts.text(first) == COMPOSE, run.output
    again = hosts.play("harden.yml", "--limit", first)
    assert again.code == 0, f"{run.output}\n{'=' * 80}\n{again.output}"
    for service in ("cache", "app"):
        assert all(hosts.limits(first, service)), f"{run.output}\n{'=' * 80}\n{again.output}"
    assert len(hosts.ids(first)) == 2
    last = hosts.play("harden.yml", "--limit", first)
    assert last.recap[first]["changed"] == 0, last.output


def test_the_engine_dies_and_stays_down_while_the_run_goes_on(hosts: Hosts, first: str) -> None:
    run = Running(hosts, first, breakwater_wait_timeout=10)
    run.until("recreating")
    hosts.sh(first, KILL_ENGINE)
    code = run.end()
    start_engine(hosts, first)
    assert code == 2, run.output
    assert "Traceback" not in run.output
    # Whatever could not be brought back without an engine, nobody has to wait for a lock or break it.
    again = hosts.play("harden.yml", "--limit", first)
    assert again.code == 0, f"{run.output}\n{'=' * 80}\n{again.output}"
    for service in ("cache", "app"):
        assert all(hosts.limits(first, service)), again.output
    assert len(hosts.ids(first)) == 2


def test_a_killed_controller_leaves_a_lock_that_can_be_broken(hosts: Hosts, first: str) -> None:
    run = Running(hosts, first)
    run.until("recreating")
    run.kill()
    refused = hosts.play("harden.yml", "--limit", first)
    assert refused.code == 2, refused.output
    assert "locked by" in errors_of(refused.output)[0], refused.output
    assert "breakwater.stack.stack_unlock" in refused.output
    unlock = [str(Path(sys.executable).with_name("ansible")), "-i", str(hosts.inventory), first]
    unlock += ["-m", "breakwater.stack.stack_unlock", "-a", f"project_dir={DIRECTORY}"]
    done = subprocess.run(unlock, cwd=ROOT, env=hosts.environment(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout.decode()
    repaired = hosts.play("harden.yml", "--limit", first)
    assert repaired.code == 0, repaired.output
    assert "was left open by a run that did not end" in repaired.output
    assert all(hosts.limits(first, "app"))


def test_the_lock_of_a_killed_controller_expires(hosts: Hosts, first: str) -> None:
    run = Running(hosts, first, breakwater_lock_lifetime=15)
    run.until("recreating")
    run.kill()
    repaired = hosts.play("harden.yml", "--limit", first, breakwater_lock_wait=60)
    assert repaired.code == 0, repaired.output
    assert "took over the lock of" in repaired.output, repaired.output
    assert all(hosts.limits(first, "cache"))
    assert all(hosts.limits(first, "app"))
