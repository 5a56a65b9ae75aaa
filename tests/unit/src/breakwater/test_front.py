# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import signal
import stat
import sys
import threading
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.controls import CONTROLS
from breakwater import exits, front
from breakwater.cli import run
from breakwater.drift import run as drift_run
from breakwater.front_arguments import read_front_options


@pytest.fixture
def ansible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of ansible-playbook that notes its arguments and ends as it is told."""
    program = tmp_path / "ansible-playbook"
    program.write_text('#!/bin/sh\necho "$@" >> "$0.log"\nexit "${END:-0}"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(front, "search_path", lambda: f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return Path(f"{program}.log")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["-i", "a,b,", "-l", "a", "-l", "b"], ["--inventory", "a,b,", "--limit", "a:b"]),
        (["-i", "x", "-i", "y"], ["--inventory", "x", "--inventory", "y"]),
        (
            ["-i", "x", "-e", "a=1", "--extra-vars=@v.yml"],
            ["--inventory", "x", "--extra-vars", "a=1", "--extra-vars", "@v.yml"],
        ),
        (
            ["-i", "x", "-b", "-K", "--ask-vault-pass"],
            ["--inventory", "x", "--become", "--ask-vault-pass", "--ask-become-pass"],
        ),
        (["-i", "x", "-u", "ops", "-f", "9"], ["--inventory", "x", "--user", "ops", "--forks", "9"]),
    ],
)
def test_options_pass_through(argv: list[str], words: list[str]) -> None:
    assert read_front_options("harden", argv).for_ansible() == words


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["harden", "-i", "x"], "nobody is there"),
        (["harden"], "name the inventory"),
        (["verify", "-i", "x", "--forks", "many"], "whole number"),
        (["drift", "-i", "x", "--report", "pdf=x"], "write FORMAT=FILE"),
        (["drift", "-i", "x", "--output", "pdf=x"], "write FORMAT=FILE"),
        (["drift", "-i", "x", "--timeout", "0"], "whole number"),
        (["drift", "-i", "x", "--vault-id", "prod@prompt"], "drift asks nothing"),
        (["unlock", "-i", "x", "--check"], "no option --check"),
        (["explain"], "name a control"),
        (["explain", "BW-LIM-0O1"], "did you mean BW-LIM-001"),
    ],
)
def test_wrong_usage(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == exits.USAGE
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["harden", "rollback", "verify", "unlock", "drift", "explain"])
def test_each_has_a_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == exits.CLEAN
    assert capsys.readouterr().out.startswith(f"usage: breakwater {name} ")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["harden", "--yes"], "breakwater.stack.harden"),
        (["harden", "--check", "--diff"], "--check --diff breakwater.stack.harden"),
        (["rollback"], "breakwater.stack.rollback"),
        (["verify"], "breakwater.stack.verify"),
        (["unlock"], "breakwater.stack.unlock"),
    ],
)
def test_each_runs_its_playbook(ansible: Path, argv: list[str], words: str) -> None:
    assert run([*argv, "-i", "hosts"]) == exits.CLEAN
    assert ansible.read_text() == f"--inventory hosts {words}\n"


@pytest.mark.parametrize(("end", "code"), [("0", 0), ("2", 1), ("4", 1), ("99", 130)])
def test_exit_codes_of_ansible_become_ours(ansible: Path, monkeypatch: pytest.MonkeyPatch, end: str, code: int) -> None:
    monkeypatch.setenv("END", end)
    assert run(["verify", "-i", "hosts"]) == code
    assert ansible.exists()


@pytest.mark.parametrize(("ours", "locale"), [("C", "C.UTF-8"), ("POSIX", "C.UTF-8"), ("en_US.UTF-8", "en_US.UTF-8")])
def test_ansible_starts_in_the_c_locale(ansible: Path, monkeypatch: pytest.MonkeyPatch, ours: str, locale: str) -> None:
    ansible.with_suffix("").write_text('#!/bin/sh\necho "$LC_ALL" > "$0.log"\n')
    monkeypatch.setenv("LC_ALL", ours)
    assert run(["verify", "-i", "hosts"]) == exits.CLEAN
    assert ansible.read_text() == f"{locale}\n"


@pytest.mark.parametrize(("answer", "runs"), [("y\n", 2), ("n\n", 1), ("", 1)])
def test_harden_shows_the_plan_and_asks(ansible: Path, monkeypatch: pytest.MonkeyPatch, answer: str, runs: int) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: answer, raising=False)
    assert run(["harden", "-i", "hosts"]) == exits.CLEAN
    lines = ansible.read_text().splitlines()
    assert lines[0] == "--inventory hosts --check --diff breakwater.stack.harden"
    assert lines[1:] == ["--inventory hosts breakwater.stack.harden"] * (runs - 1)


def test_the_command_is_shown_without_secrets(ansible: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "-i", "hosts", "-v", "-e", "db_password=c4n4ry-b1rd"]) == exits.CLEAN
    shown = capfd.readouterr().err
    assert "breakwater: ansible-playbook --inventory hosts" in shown
    assert "c4n4ry" not in shown
    assert "c4n4ry" in ansible.read_text()


def test_drift_shows_its_command_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drift_run, "search_path", lambda: "/nowhere")
    assert run(["drift", "-i", "hosts", "-v", "-e", "db_password=c4n4ry-b1rd"]) == exits.ERROR
    shown = capsys.readouterr().err
    assert "breakwater: ansible-playbook --inventory hosts" in shown
    assert "c4n4ry" not in shown


def test_an_interrupt_leaves_ansible_the_time_to_end_well(ansible: Path) -> None:
    program = ansible.with_suffix("")
    program.write_text('#!/bin/sh\nsleep 0.5\necho done >> "$0.log"\n')
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    assert run(["verify", "-i", "hosts"]) == exits.CLEAN
    assert ansible.read_text() == "done\n"


@pytest.mark.parametrize("one", CONTROLS, ids=lambda one: one.id)
def test_every_control_can_be_explained(one: object, capsys: pytest.CaptureFixture[str]) -> None:
    row = next(found for found in CONTROLS if found is one)
    assert run(["explain", row.id.lower()]) == exits.CLEAN
    shown = capsys.readouterr().out
    assert shown.startswith(f"{row.id} {row.title}\n")
    assert all(text in shown for text in (row.why, row.severity, row.link, row.changes or row.report_only_because))


def test_a_beginning_explains_several(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "BW-LIM", "BW-LIM-001"]) == exits.CLEAN
    assert capsys.readouterr().out.count("\nBW-LIM-") + 1 == sum(row.id.startswith("BW-LIM") for row in CONTROLS)
