# SPDX-License-Identifier: GPL-3.0-or-later
"""A small stack on the real engine, and the playbooks run on it as users run them; for the tests of several topics."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
IMAGES = Path(os.environ.get("BREAKWATER_CACHE", ROOT / ".cache")) / "ground" / "images.env"

COMPOSE = """# what people write
name: {name}

services:
  cache:
    image: ${{REDIS_IMAGE}}   # pinned in .env
    command: redis-server --save "" --appendonly no
    restart: always
    healthcheck:
      test: ["CMD", "redis-cli", "ping"]
      interval: 1s
      retries: 5

  app:
    image: ${{REDIS_IMAGE}}
    entrypoint: ["sleep", "infinity"]
    init: true
    restart: always
    environment:
      - MODE=quiet
"""
LIMITS = {"cache": {"memory": "96m", "cpus": 0.5}, "app": {"memory": "64m", "cpus": 0.25}}


class Run(NamedTuple):
    """What a playbook printed and how it ended."""

    code: int
    text: str

    @property
    def recap(self) -> dict[str, int]:
        """The numbers of the last host's recap line."""
        line = [line for line in self.text.splitlines() if re.search(r"ok=\d+ +changed=", line)][-1]
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}

    @property
    def changed(self) -> int:
        """The number of changed tasks of the last host."""
        return self.recap["changed"]

    @property
    def diff(self) -> str:
        """The diff as the write shows it, without the reasons below it, which hold what is measured at the time."""
        found = re.search(r"^--- a/.*?(?=^Reasons$)", self.text, re.MULTILINE | re.DOTALL)
        return found[0] if found else ""


class Project:
    """A Compose project in a folder of its own, and the playbooks that are run on it.

    Attributes:
        folder: where its files lie.
        name: of the project.
        file: its Compose file.
        inventory: that of the playbooks.
    """

    folder: Path
    name: str
    file: Path
    inventory: Path

    def command(self, playbook: str, *arguments: str) -> list[str]:
        """The command of a playbook."""
        program = str(Path(sys.executable).parent / "ansible-playbook")
        return [program, str(ROOT / f"{playbook}.yml"), "-i", str(self.inventory), *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a playbook."""
        return os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"} | more

    def play(self, playbook: str, *arguments: str, **environment: str) -> Run:
        """Run a playbook to its end."""
        done = subprocess.run(
            self.command(playbook, *arguments),
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
            cwd=ROOT,
        )
        return Run(done.returncode, done.stdout)

    def docker(self, *arguments: str) -> str:
        """Run a docker command that has to succeed."""
        return subprocess.run(
            ["docker", *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    def up(self) -> None:
        """Start the project as its files say."""
        self.docker("compose", "up", "--detach", "--wait")

    def down(self) -> None:
        """Remove what runs, whatever the files say by now."""
        for kind, remove in (("container", ["rm", "-f", "-v"]), ("network", ["network", "rm"])):
            listing = ["ps", "-aq"] if kind == "container" else ["network", "ls", "-q"]
            found = self.docker(*listing, "--filter", f"label=com.docker.compose.project={self.name}").split()
            if found:
                self.docker(*remove, *found)

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine says of a service's container."""
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", f"{self.name}-{service}-1"))
        return found[0]


class Stack(Project):
    """A cache and an application.

    Args:
        folder: where its files lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "stack"
        self.folder.mkdir()
        self.name = f"bw-it-{uuid.uuid4().hex[:8]}"
        self.file = self.folder / "docker-compose.yml"
        self.file.write_text(COMPOSE.format(name=self.name))
        (self.folder / ".env").write_text(IMAGES.read_text())
        self.inventory = folder / "hosts.yml"
        self.inventory_with()

    def inventory_with(self, **variables: Any) -> None:
        """Write the inventory, with variables over the usual ones."""
        usual = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "breakwater_project_dir": str(self.folder),
            "breakwater_wait_timeout": 30,
            "compose_limits_max_impact": "datastore_restart",
            "compose_limits_limits": LIMITS,
        }
        hosts = {"small": usual | variables}
        self.inventory.write_text(yaml.safe_dump({"stacks": {"hosts": hosts}}))

    def harden(self, *arguments: str, **environment: str) -> Run:
        """Run the hardening."""
        return self.play("harden", *arguments, **environment)

    def ids(self) -> dict[str, str]:
        """The containers by service; what has none is left out."""
        form = '{{.Label "com.docker.compose.service"}} {{.ID}}'
        label = f"label=com.docker.compose.project={self.name}"
        listed = self.docker("ps", "--all", "--no-trunc", "--filter", label, "--format", form)
        return {service: name for service, _, name in sorted(line.partition(" ") for line in listed.splitlines())}

    def state(self) -> tuple[Any, ...]:
        """All that a run which touches nothing leaves as it is."""
        stat = self.file.stat()
        return (stat.st_ino, stat.st_mtime_ns, self.file.read_bytes(), self.ids(), sorted(os.listdir(self.folder)))


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """Start the stack, never hardened, and remove it at the end; skip the test where no engine answers.

    Args:
        folder: an empty folder for its files and its inventory.
    """
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0 or not IMAGES.exists():
        pytest.skip("no Docker Engine answers, or `tests/ground/ground up` has not named its images")
    one = Stack(folder)
    try:
        one.up()
        yield one
    finally:
        one.down()
