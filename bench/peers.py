# SPDX-License-Identifier: GPL-3.0-or-later
"""Install Breakwater, as users get it, and the tools that it is measured against, into .cache/bench."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache/bench"
BIN = CACHE / "venv/bin"
DCLINT = CACHE / "npm/node_modules/.bin/dclint"

PYTHON_PEERS = ("compose-lint==0.36.2", "compose-harden==0.2.0", "PyYAML==6.0.3", "rich==15.0.0")
NPM_PEER = "dclint@3.1.0"


def install() -> None:
    """Install the peers once and the working tree's Breakwater every time, in one environment: on equal terms."""
    if not (BIN / "compose-lint").exists():
        _run(sys.executable, "-m", "venv", str(CACHE / "venv"))
        _run(str(BIN / "pip"), "install", "--quiet", *PYTHON_PEERS)
    if not DCLINT.exists():
        _run("npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(CACHE / "npm"), NPM_PEER)
    wheels = CACHE / "wheels"
    _run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(wheels),
        str(ROOT),
    )
    wheel = max(wheels.glob("breakwater_stack-*.whl"), key=lambda path: path.stat().st_mtime)
    _run(str(BIN / "pip"), "install", "--quiet", "--no-deps", "--force-reinstall", str(wheel))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
