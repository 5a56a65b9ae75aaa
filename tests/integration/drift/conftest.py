# SPDX-License-Identifier: GPL-3.0-or-later
"""One small stack, hardened once, and the check run on it as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stacks import Stack, running_stack


class Check(NamedTuple):
    """What a check printed, what it reported, and how it ended."""

    code: int
    text: str
    report: dict[str, Any]

    def found(self, *states: str) -> list[dict[str, Any]]:
        """The entries of all hosts with one of these states."""
        return [entry for host in self.report["hosts"] for entry in host["entries"] if entry["state"] in states]


class Subject:
    """The stack, and how it is checked.

    Args:
        stack: the stack.
        folder: where reports and temporary files go.
    """

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.reports = folder / "reports"
        self.reports.mkdir()
        self.temporary = folder / "tmp"
        self.temporary.mkdir()

    def command(self, *arguments: str) -> list[str]:
        """The command of a check."""
        program = str(Path(sys.executable).parent / "breakwater")
        return [program, "drift", "--inventory", str(self.stack.inventory), *arguments]

    def environment(self) -> dict[str, str]:
        """Its environment: what it leaves in the temporary folder is found there, and the locale is that of scripts."""
        return self.stack.environment(TMPDIR=str(self.temporary), LC_ALL="C")

    def breakwater(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the stack to its end."""
        program, _, *inventory = self.command()
        return subprocess.run(
            [program, command, *inventory, *arguments],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )

    def check(self, *arguments: str) -> Check:
        """Run a check to its end."""
        report = self.reports / "report.json"
        report.unlink(missing_ok=True)
        done = self.breakwater("drift", "--report", f"json={report}", *arguments)
        return Check(done.returncode, done.stdout, json.loads(report.read_text()) if report.exists() else {})

    def left(self) -> list[str]:
        """What lies in the temporary folder."""
        return sorted(os.listdir(self.temporary))


@pytest.fixture(scope="session")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """The stack, running and hardened."""
    folder = tmp_path_factory.mktemp("drift")
    with running_stack(folder) as stack:
        one = Subject(stack, folder)
        done = one.breakwater("harden", "--yes")
        assert done.returncode == 0, done.stdout
        yield one
