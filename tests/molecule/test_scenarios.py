# SPDX-License-Identifier: GPL-3.0-or-later
"""Each role's Molecule scenario: converge, idempotence, verify, tamper, drift seen, repaired."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGES = Path(os.environ.get("BREAKWATER_CACHE", ROOT / ".cache")) / "ground" / "images.env"
SCENARIOS = sorted(path.parent.name for path in (ROOT / "extensions" / "molecule").glob("*/molecule.yml"))


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "default"] or SCENARIOS)
def test_scenario(scenario: str) -> None:
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0 or not IMAGES.exists():
        pytest.skip("no Docker Engine answers, or `tests/ground/ground up` has not named its images")
    # Molecule looks for Ansible's commands on the path, and keeps its state in the cache folder of the user.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {
        "PATH": path,
        "XDG_CACHE_HOME": str(ROOT / ".cache" / "xdg"),
        "BREAKWATER_IMAGES": str(IMAGES),
    }
    command = [sys.executable, "-m", "molecule", "test", "--scenario-name", scenario]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, "\n".join((done.stdout + done.stderr).splitlines()[-80:])
