# SPDX-License-Identifier: GPL-3.0-or-later
"""A check that is ended early ends what it started, leaves nothing behind and says so; secrets stay where they are."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from breakwater.drift import children
from breakwater.drift.run import MARK

from .conftest import Subject

CANARY = "c4n4ry-b1rd-7f3a"
FORMATS = ("text", "json", "junit", "sarif", "github", "markdown", "prometheus")


def started(subject: Subject, least: int) -> str:
    """Wait until a check has started some processes; return its folder."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for name in subject.left():
            folder = str(subject.temporary / name)
            if len(children.find(MARK, folder)) >= least:
                return folder
        time.sleep(0.05)
    raise AssertionError("the check started nothing within 60 s")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_ends_what_it_started(subject: Subject, number: signal.Signals) -> None:
    report = subject.reports / "part.json"
    before = subject.stack.state()
    command = subject.command("--report", f"json={report}")
    with subprocess.Popen(command, env=subject.environment(), stdout=subprocess.PIPE, text=True) as process:
        folder = started(subject, least=2)
        process.send_signal(number)
        text, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert children.find(MARK, folder) == []
    assert subject.left() == []
    assert "the check was interrupted" in text
    assert json.loads(report.read_text())["ended"] == "interrupted"
    assert subject.stack.state() == before


def test_a_check_that_takes_too_long_is_no_clean_one(subject: Subject) -> None:
    found = subject.check("--timeout", "1", "--report-only")
    assert found.code == 1
    assert "the check was ended after 1 s" in found.text
    assert subject.left() == []


def test_no_report_holds_a_secret(subject: Subject, tmp_path: Path) -> None:
    file = subject.stack.file
    before = file.read_text()
    secret = f"      - MODE=quiet\n      - APP_PASSWORD={CANARY}\n      - URL=postgresql://app:{CANARY}@db/app\n"
    file.write_text(before.replace("      - MODE=quiet\n", secret).replace("mem_limit: 64m", "mem_limit: 2g"))
    try:
        reports = [part for name in FORMATS for part in ("--report", f"{name}={tmp_path / name}")]
        found = subject.check(*reports, "--verbose")
    finally:
        file.write_text(before)
    assert found.code == 2, found.text
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FORMATS)
    assert CANARY not in found.text
    for path in tmp_path.iterdir():
        assert CANARY not in path.read_text()
    assert subject.left() == []
