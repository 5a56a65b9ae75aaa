# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .cases import service
from .conftest import ENVIRONMENT, Program

CLEAN = """\
services:
  job:
    image: example/job:1.2.3@sha256:{digest}
    mem_limit: 64m
""".format(digest="0" * 64)
WAIVED = """\
services:
  # breakwater: ignore BW-LIM-001 owner=ops reason="migrating" until={until}
  cache:
    image: redis:8.0.2
"""
SECRETS = """\
services:
  cache:
    image: redis:8.0.2
    command: redis-server --appendonly yes --requirepass canary-1
  db:
    image: postgres:17.6
    mem_limit: {limit}
    environment:
      POSTGRES_PASSWORD: canary-2
      URL: postgres://user:canary-3@db/x
"""


def test_findings_have_place_reason_and_fix(program: Program, compose: Callable[..., Path]) -> None:
    compose(service("restart: always"))
    outcome = program("scan", "docker-compose.yml", "--select", "BW-LIM-001", "--host-memory", "8g", "--host-cpus", "2")
    lines = outcome.out.splitlines()
    assert outcome.code == 2
    assert outcome.err == ""
    assert lines[0].startswith("docker-compose.yml:2: high BW-LIM-001 a: ")
    assert lines[1].startswith("    why: ")
    assert lines[2].startswith("    fix: mem_limit: ")
    assert lines[-2:] == [
        "note: host: 8g of memory, 2 CPUs (--host-memory and --host-cpus)",
        "examined 1 file, 1 service: 1 finding (1 high), 1 of them fixable",
    ]


def test_nothing_found_is_zero_and_says_what_was_examined(program: Program, compose: Callable[..., Path]) -> None:
    compose(CLEAN)
    outcome = program("scan", "docker-compose.yml", "--select", "BW-LIM-001")
    assert outcome.code == 0
    assert outcome.out.endswith("examined 1 file, 1 service: no findings\n")


def test_severity_select_and_ignore(program: Program, compose: Callable[..., Path]) -> None:
    compose(service("restart: always"))

    def controls(*options: str) -> set[str]:
        found = json.loads(program("scan", "docker-compose.yml", "--format", "json", *options).out)["findings"]
        return {finding["control"] for finding in found}

    everything = controls()
    assert controls("--select", "BW-LIM") == {name for name in everything if name.startswith("BW-LIM")} != set()
    assert controls("--ignore", "BW-SEC") == {name for name in everything if not name.startswith("BW-SEC")}
    assert set() != controls("--severity", "high") < everything


@pytest.mark.parametrize(("until", "code"), [("2099-01-31", 0), ("2020-01-31", 2)])
def test_waivers_expire(program: Program, compose: Callable[..., Path], until: str, code: int) -> None:
    compose(WAIVED.format(until=until))
    outcome = program("scan", "docker-compose.yml", "--select", "BW-LIM-001")
    assert outcome.code == code
    assert until in outcome.out
    assert ("1 waived" in outcome.out) is (code == 0)


def test_kind_may_be_stated(program: Program, compose: Callable[..., Path]) -> None:
    compose("services:\n  a:\n    image: registry.corp/thing:1\n")
    plain = program("scan", "docker-compose.yml", "--select", "BW-HLT-001").out
    stated = program("scan", "docker-compose.yml", "--select", "BW-HLT-001", "--kind", "a=redis").out
    assert "redis-cli ping" not in plain
    assert "redis-cli ping" in stated


def test_settings_beside_the_file_are_used_and_said(program: Program, compose: Callable[..., Path]) -> None:
    compose(service("restart: always"))
    compose("select: [BW-LIM-001]\nlimits: {gone: {memory: 64m}}\n", "breakwater.yml")
    outcome = program("scan", "docker-compose.yml")
    assert "1 finding" in outcome.out
    assert "note: settings: breakwater.yml" in outcome.out
    assert "has no service gone" in outcome.out


def test_base_and_override_in_a_folder_are_judged_together(program: Program, compose: Callable[..., Path]) -> None:
    compose("services:\n  a:\n    image: redis:8.0.2\n", "compose.yml")
    compose("services:\n  a:\n    mem_limit: 64m\n", "compose.override.yml")
    together = program("scan", ".", "--select", "BW-LIM-001")
    assert (together.code, "examined 2 files, 1 service: no findings" in together.out) == (0, True)
    alone = program("scan", "compose.yml", "--select", "BW-LIM-001")
    assert alone.code == 2


def test_variables_come_from_the_env_file_only(program: Program, compose: Callable[..., Path]) -> None:
    compose(service("mem_limit: ${MEM:-}"))
    compose("MEM=64m\n", ".env")
    assert program("scan", "docker-compose.yml", "--select", "BW-LIM-001").code == 0


def test_standard_input(program: Program) -> None:
    outcome = program("scan", "-", "--stdin-filename", "deploy/compose.yml", stdin=service("restart: always"))
    assert outcome.code == 2
    assert outcome.out.startswith("deploy/compose.yml:2: ")


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "gitlab", "junit"])
def test_output_goes_to_a_file(program: Program, compose: Callable[..., Path], tmp_path: Path, form: str) -> None:
    compose(service("restart: always"))
    shown = program("scan", "docker-compose.yml", "--format", form)
    stored = program("scan", "docker-compose.yml", "--format", form, "--output", "out")
    assert (shown.code, stored.code, stored.out) == (2, 2, "")
    assert (tmp_path / "out").read_text() == shown.out != ""
    failed = program("scan", "docker-compose.yml", "--output", "no/such/folder")
    assert (failed.code, failed.err) == (
        1,
        "breakwater: no/such/folder: cannot be written: No such file or directory\n",
    )


@pytest.mark.parametrize("limit", ["64m", "lots"])
@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "gitlab", "junit"])
def test_no_secret_shows(program: Program, compose: Callable[..., Path], form: str, limit: str) -> None:
    compose(SECRETS.format(limit=limit))
    outcome = program("scan", "docker-compose.yml", "--format", form)
    assert outcome.code == (1 if limit == "lots" else 2)
    assert "canary" not in outcome.out + outcome.err


def test_a_reader_that_stops_reading_is_no_error(compose: Callable[..., Path]) -> None:
    compose("services:\n" + "".join(f"  s{number}: {{image: redis}}\n" for number in range(300)))
    # Without a buffer Python itself loses a short write, and with it the error.
    environment = {**ENVIRONMENT, "PYTHONUNBUFFERED": ""}
    command = f"{sys.executable} -m breakwater scan docker-compose.yml | head -1; exit ${{PIPESTATUS[0]}}"
    folder = compose("", "empty").parent
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    assert done.returncode == 141
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


def test_an_interrupt_is_told_in_one_line(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "breakwater", "scan", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"services:\n")
        process.stdin.flush()
        wait_until_it_reads(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b"breakwater: interrupted\n"


def wait_until_it_reads(pid: int) -> None:
    """Wait until the process sleeps in the read of the pipe on its standard input."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if Path(f"/proc/{pid}/wchan").read_text() in ("pipe_read", "anon_pipe_read", "pipe_wait"):
            return
        if Path(f"/proc/{pid}/syscall").read_text().startswith("0 0x0 "):
            return
        time.sleep(0.05)
    raise AssertionError("the program never read its standard input")
