# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts with nothing but Python and Docker, reached over SSH, and a small stack on each."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[3]
GROUND = ROOT / "tests/ground/ground"
IMAGE = "breakwater.test/redis:8"
DIRECTORY = "/opt/shop"
COMPOSE = f"""\
# the shop
name: shop
services:
  cache:
    image: {IMAGE}
    command: redis-server --save ''
    restart: unless-stopped
    healthcheck:
      test: ["CMD", "redis-cli", "ping"]
      interval: 1s
      retries: 30
  app:
    image: {IMAGE}
    entrypoint: ["sh", "-c", "trap exit TERM; sleep infinity & wait"]
    restart: unless-stopped
"""
#: What a plan needs to know about `app`, which only borrows its image, so that nothing is left to the budget.
SETTINGS: dict[str, Any] = {
    "breakwater_project_dir": DIRECTORY,
    "breakwater_wait_timeout": 60,
    "compose_limits_kinds": {"app": "other"},
    "compose_limits_limits": {"app": {"memory": "64m", "cpus": 0.5, "pids": 100}},
    "compose_limits_max_impact": "datastore_restart",
}


class Played(NamedTuple):
    """What a playbook left: exit code, output, and the numbers of its recap by host."""

    code: int
    output: str
    recap: Mapping[str, Mapping[str, int]]


class Limits(NamedTuple):
    """What the engine enforces for a container."""

    memory: int
    cpus: int
    pids: int


class Hosts(NamedTuple):
    """The two hosts."""

    names: tuple[str, str]
    inventory: Path
    control: str

    def sh(self, host: str, command: str, *, check: bool = True) -> str:
        """Run a shell command as root on a host and return its output."""
        done = subprocess.run(
            ["docker", "exec", host, "sh", "-c", command], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0 or not check, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def put(self, host: str, directory: str, text: str = COMPOSE) -> None:
        """Put the project into a folder of a host."""
        command = ["docker", "exec", "-i", host, "sh", "-c", f"mkdir -p {directory} && cat > {directory}/compose.yml"]
        subprocess.run(command, input=text, text=True, check=True, timeout=60)

    def up(self, host: str, directory: str = DIRECTORY) -> None:
        """Start the project."""
        self.sh(host, f"cd {directory} && docker compose up --detach --wait --quiet-pull")

    def command(self, playbook: str, *arguments: str, **settings: Any) -> list[str]:
        """Give the command line of a playbook."""
        extra = json.dumps({**SETTINGS, **settings})
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        return [program, "-i", str(self.inventory), "--forks", "2", "-e", extra, playbook, *arguments]

    def environment(self) -> dict[str, str]:
        """Give the environment of a playbook; connections of hosts that are gone must not be found by address."""
        return {**os.environ, "ANSIBLE_SSH_CONTROL_PATH_DIR": self.control, "ANSIBLE_NOCOLOR": "1"}

    def play(self, playbook: str, *arguments: str, **settings: Any) -> Played:
        """Run a playbook of the checkout with further variables."""
        done = subprocess.run(
            self.command(playbook, *arguments, **settings),
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return Played(done.returncode, done.stdout, recap_of(done.stdout))

    def limits(self, host: str, service: str) -> Limits:
        """Read the limits in force of a service's container."""
        (config,) = self._inspect(host, service, "{{json .HostConfig}}")
        found = json.loads(config)
        return Limits(found["Memory"], found["NanoCpus"], found["PidsLimit"] or 0)

    def ids(self, host: str) -> list[str]:
        """Give the ids of the running containers."""
        return sorted(self.sh(host, "docker ps --quiet --no-trunc").split())

    def text(self, host: str, directory: str = DIRECTORY) -> str:
        """Read the Compose file."""
        return self.sh(host, f"cat {directory}/compose.yml")

    def listing(self, host: str, directory: str = DIRECTORY) -> str:
        """List what is in the project folder with inodes, sizes and times."""
        return self.sh(host, f"find {directory} -mindepth 1 -printf '%P %i %s %m %u %T@\\n' | sort")

    def _inspect(self, host: str, service: str, form: str) -> list[str]:
        found = self.sh(host, f"docker ps -aq --filter label=com.docker.compose.service={service}").split()
        assert found, f"{service} has no container on {host}"
        return self.sh(host, f"docker inspect --format '{form}' {' '.join(found)}").splitlines()


def recap_of(output: str) -> dict[str, dict[str, int]]:
    """Parse the recap of a playbook."""
    lines = re.findall(r"^(\S+) +: (ok=.*)$", output, re.MULTILINE)
    return {host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", rest)} for host, rest in lines}


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    """Start two hosts for this test run and remove them in the end."""
    found = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False)
    if found.returncode != 0:
        pytest.skip(f"needs an engine with {IMAGE}: start the ground (make ground)")
    own = f"pytest-{os.getpid()}"
    started = subprocess.run(
        [str(GROUND), "hosts", "--name", own, "--count", "2", "--load", IMAGE],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    names = (f"breakwater-host-{own}-1", f"breakwater-host-{own}-2")
    try:
        assert started.returncode == 0, started.stderr
        inventory = tmp_path_factory.mktemp("hosts") / "inventory.ini"
        inventory.write_text(started.stdout)
        # Short, for a socket's name has at most 107 characters.
        with tempfile.TemporaryDirectory(prefix="bw-") as control:
            yield Hosts(names, inventory, control)
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", *names], capture_output=True, check=False)


@pytest.fixture
def stacks(hosts: Hosts) -> Iterator[Hosts]:
    """Run the project on both hosts as it was never hardened."""
    for host in hosts.names:
        hosts.put(host, DIRECTORY)
        hosts.up(host)
    yield hosts
    for host in hosts.names:
        clean(hosts, host)


@pytest.fixture
def first(hosts: Hosts) -> Iterator[str]:
    """Run the project on the first host only; give its name."""
    host = hosts.names[0]
    hosts.put(host, DIRECTORY)
    hosts.up(host)
    yield host
    clean(hosts, host)


def clean(hosts: Hosts, host: str) -> None:
    """Remove every container and the project of a host."""
    hosts.sh(host, "docker ps -aq | xargs -r docker rm --force --volumes", check=False)
    hosts.sh(host, "docker network prune --force", check=False)
    hosts.sh(host, f"rm -rf {DIRECTORY}")
