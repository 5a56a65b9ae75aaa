# SPDX-License-Identifier: GPL-3.0-or-later
"""A run may be killed at any point: the stack works, or the next run repairs it."""

from __future__ import annotations

import os
import subprocess
import time

import yaml
from killing import kill_all

from stacks import LIMITS, Stack

POINTS = 20
#: Every so many kills a run goes on to its end.
ROUND = 5


def kill_after(stack: Stack, seconds: float) -> bool:
    """Start a run and kill all of it after a time; say whether it was still at work."""
    run = subprocess.Popen(
        stack.command("harden"), env=stack.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(seconds)
    working = run.poll() is None
    kill_all(run)
    return working


def toggle(stack: Stack, number: int) -> None:
    """Want another limit, so that every run has something to do."""
    stack.inventory_with(compose_limits_limits=LIMITS | {"app": {"memory": f"{64 + 16 * (number % 2)}m", "cpus": 0.25}})


def test_killed_at_twenty_points(stack: Stack) -> None:
    stack.inventory_with()
    assert stack.harden().code == 0
    toggle(stack, 1)
    began = time.monotonic()
    assert stack.harden().code == 0
    duration = time.monotonic() - began
    killed = runs = 0
    while killed < POINTS:
        runs += 1
        assert runs <= 2 * POINTS
        toggle(stack, runs)
        if kill_after(stack, duration * (0.15 + 0.8 * killed / POINTS)):
            killed += 1
        else:
            duration *= 0.9  # runs have become shorter than the one that was measured
        data = yaml.safe_load(stack.file.read_text())
        assert data["services"]["app"]["mem_limit"] in ("64m", "80m"), "a file that is whole"
        assert stack.inspect("cache")["State"]["Status"] == "running"
        if runs % ROUND == 0:
            repaired = stack.harden()
            assert repaired.code == 0, repaired.text
            wanted = (64 + 16 * (runs % 2)) * 2**20
            assert stack.inspect("app")["HostConfig"]["Memory"] == wanted
            assert stack.harden().recap["changed"] == 0
    assert not [name for name in os.listdir(stack.folder) if name.startswith(".") and "tmp" in name]
