# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's own rules for collections."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_ansible_test_sanity_passes_without_exceptions() -> None:
    assert list((ROOT / "tests" / "sanity").glob("ignore-*.txt")) == []
    done = subprocess.run([ROOT / "scripts" / "ansible-test-sanity"], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 0, "\n".join(line for line in lines if "ERROR" in line or "FATAL" in line)
    assert any("validate-modules" in line for line in lines), "nothing was checked"
