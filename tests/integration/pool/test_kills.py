# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that sets up a pool may be killed anywhere: the next one settles it, and then the pool stands."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from killing import kill_all
from pooled import Stack, until

#: What the run says when it has come so far.
POINTS = ("the function that the pool looks users up with", "proving shop", "recreating app", "works through the pool")


def kill_at(stack: Stack, log: Path, said: str) -> None:
    """Start a run and kill all of it as soon as it has said something."""
    with log.open("w") as output:
        run = subprocess.Popen(stack.command("harden"), env=stack.environment(), stdout=output, stderr=output)
    assert until(lambda: said in log.read_text() or run.poll() is not None, seconds=120)
    time.sleep(0.3)
    kill_all(run)


def test_killed_at_each_step(stack: Stack, tmp_path: Path) -> None:
    before = stack.files()
    for number, said in enumerate(POINTS):
        stack.inventory_with()
        kill_at(stack, tmp_path / f"{number}.log", said)
        assert until(lambda: stack.services().get("db") is not None)
        # The next run is one without a pool: it brings back what the killed one left, and nothing is left of it.
        stack.inventory_with(pgbouncer_state="absent")
        settled = stack.harden()
        if "was left open by a run that did not end" in settled.text:
            assert "its files are brought back" in settled.text
        assert stack.files() == before
        assert stack.objects() == 0
        assert sorted(stack.services()) == ["app", "db"]
        assert stack.counts()
        assert stack.clients() == {stack.address("app")}
    stack.inventory_with()
    stack.harden()
    assert stack.clients() == {stack.address("pgbouncer")}
    assert stack.harden().changed == 0
