# SPDX-License-Identifier: GPL-3.0-or-later
"""The oldest versions that the package claims to run on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = 77


def last_lines(script: str) -> tuple[int, str]:
    """Run a script of the checkout; return its exit code and its last lines, skip where it has nothing to test."""
    done = subprocess.run([ROOT / "scripts" / script], cwd=ROOT, capture_output=True, text=True, check=False)
    tail = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
    if done.returncode == SKIPPED:
        pytest.skip(tail)
    return done.returncode, tail


def test_target_code_runs_on_the_oldest_python() -> None:
    code, said = last_lines("test-targets")
    assert code == 0, said


def test_controller_runs_on_the_oldest_ansible() -> None:
    code, said = last_lines("test-ansible-matrix")
    assert code == 0, said


def test_guard_runs_with_the_oldest_sdk() -> None:
    code, said = last_lines("test-guard-oldest")
    assert code == 0, said
