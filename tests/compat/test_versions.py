# SPDX-License-Identifier: GPL-3.0-or-later
"""The oldest versions that the package claims to run on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = 77


def run(script: str) -> None:
    """Run a script of the checkout; its last lines are the reason when it fails or has nothing to test."""
    done = subprocess.run([ROOT / "scripts" / script], cwd=ROOT, capture_output=True, text=True, check=False)
    tail = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
    if done.returncode == SKIPPED:
        pytest.skip(tail)
    assert done.returncode == 0, tail


def test_target_code_runs_on_the_oldest_python() -> None:
    run("test-targets")


def test_controller_runs_on_the_oldest_ansible() -> None:
    run("test-ansible-matrix")
