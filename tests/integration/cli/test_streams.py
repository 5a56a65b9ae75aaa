# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard streams as shells, cron and old locales leave them: never a traceback, never an unreadable report."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .cases import service
from .conftest import ENVIRONMENT


@pytest.fixture
def shell(tmp_path: Path, compose: Callable[[bytes | str], Path]) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run ``breakwater`` as a shell does that gets its arguments and redirections."""
    compose(service("labels: {name: ü}"))

    def run(words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["sh", "-c", f"{sys.executable} -m breakwater {words}"],
            capture_output=True,
            cwd=tmp_path,
            env={**ENVIRONMENT, **environment},
            timeout=30,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("scan docker-compose.yml >&-", 2, ""),
        ("fix docker-compose.yml 2>&-", 2, ""),
        ("scan - <&-", 1, ""),
        ("scan docker-compose.yml >/dev/full", 1, "breakwater: standard output: No space left on device\n"),
        ("--help >/dev/full", 1, "breakwater: standard output: No space left on device\n"),
    ],
)
def test_a_stream_that_is_closed_or_full(
    shell: Callable[..., subprocess.CompletedProcess[bytes]], words: str, code: int, says: str
) -> None:
    done = shell(words)
    assert (done.returncode, done.stderr.decode() if ">/dev/full" in words else "") == (code, says)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_output_is_utf_8_whatever_the_locale(
    shell: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "docker-compose.yml").rename(tmp_path / "compose-\udcff-ü.yml")
    done = shell("scan --format json .", PYTHONIOENCODING=encoding)
    (file,) = json.loads(done.stdout)["examined"]["files"]
    assert (done.returncode, file) == (2, "compose-\udcff-ü.yml")
    written = shell("scan . --output report.txt", PYTHONIOENCODING=encoding)
    assert (written.returncode, written.stderr) == (2, b"")
    assert (tmp_path / "report.txt").read_text(encoding="utf-8").startswith(r"compose-\udcff-ü.yml:")
