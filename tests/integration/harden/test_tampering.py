# SPDX-License-Identifier: GPL-3.0-or-later
"""What people change by hand afterwards is seen by check mode and repaired by the next run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stacks import Stack


def edit_limit(stack: Stack) -> None:
    """Raise a limit in the file and start it so."""
    stack.file.write_text(stack.file.read_text().replace("mem_limit: 96m", "mem_limit: 1g"))
    stack.up()


def remove_health_check(stack: Stack) -> None:
    """Take the health check out of the file and start it so."""
    lines = stack.file.read_text().split("\n")
    start = next(number for number, line in enumerate(lines) if line == "    healthcheck:")
    end = next(n for n, line in enumerate(lines) if n > start and not line.startswith("      "))
    stack.file.write_text("\n".join(lines[:start] + lines[end:]))
    stack.up()


def override_limit(stack: Stack) -> None:
    """Undo a limit in an override file and start it so."""
    (stack.folder / "docker-compose.override.yml").write_text("services:\n  cache:\n    mem_limit: 2g\n")
    stack.up()


def recreate_by_hand(stack: Stack) -> None:
    """Recreate a container from another file under the same project."""
    other = stack.folder.parent / "other.yml"
    other.write_text(
        f"services:\n  cache:\n    image: {stack.inspect('cache')['Config']['Image']}\n    restart: always\n"
    )
    stack.docker("compose", "-p", stack.name, "-f", str(other), "up", "-d", "cache")


@pytest.mark.parametrize("tamper", [edit_limit, remove_health_check, override_limit, recreate_by_hand])
def test_seen_and_repaired(stack: Stack, tamper: Callable[[Stack], Any]) -> None:
    assert stack.harden().code == 0
    tamper(stack)
    checked = stack.harden("--check")
    assert checked.code == 0, checked.text
    assert checked.recap["changed"] > 0
    repaired = stack.harden()
    assert repaired.code == 0, repaired.text
    cache = stack.inspect("cache")
    assert cache["HostConfig"]["Memory"] == 96 * 2**20
    assert cache["State"]["Health"]["Status"] == "healthy"
    assert stack.harden().recap["changed"] == 0


def test_a_limit_changed_on_the_container_comes_back_without_a_restart(stack: Stack) -> None:
    assert stack.harden().code == 0
    before = stack.ids()
    stack.docker("update", "--memory", "1g", "--memory-swap", "2g", before["cache"])
    checked = stack.harden("--check")
    assert "cache: memory limit: the file says 96m, the container has 1g" in checked.text
    repaired = stack.harden()
    assert repaired.recap["changed"] == 1, repaired.text
    assert stack.inspect("cache")["HostConfig"]["Memory"] == 96 * 2**20
    assert stack.ids() == before


def test_a_renamed_service_is_named(stack: Stack) -> None:
    assert stack.harden().code == 0
    stack.file.write_text(stack.file.read_text().replace("  app:\n", "  application:\n"))
    stack.inventory_with(compose_limits_limits={"cache": {"memory": "96m", "cpus": 0.5}})
    done = stack.harden()
    assert done.code == 2
    assert f"{stack.name}-app-1: runs, but the files have no service app" in done.text
    assert stack.inspect("app")["State"]["Status"] == "running", "it is named and left alone"


def test_a_file_that_is_gone_or_a_link_is_refused(stack: Stack) -> None:
    real = stack.file.rename(stack.folder / "kept.yml")
    gone = stack.harden()
    assert gone.code == 2
    assert "has no Compose file" in gone.text
    stack.file.symlink_to(real)
    linked = stack.harden()
    assert linked.code == 2
    assert "symbolic link" in linked.text
    assert stack.file.is_symlink()
    assert "mem_limit" not in real.read_text()
