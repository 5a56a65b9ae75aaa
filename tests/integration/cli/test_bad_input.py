# SPDX-License-Identifier: GPL-3.0-or-later
"""Each bad input: one clear line, exit 1, nothing written, no traceback, bounded time and memory."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .cases import BAD, service
from .conftest import Outcome, Program

LINE = re.compile(r"^[^:\n]+(:\d+)?: .+; .+$|^[^:\n]+(:\d+)?: .+$")


def complaint(outcome: Outcome, line: int | None = None, name: str = "docker-compose.yml") -> str:
    """Return the first line of the errors, having checked that it is one that helps."""
    shown = outcome.err.splitlines()[0]
    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    assert LINE.match(shown)
    assert shown.startswith(name if line is None else f"{name}:{line}: ")
    assert len(shown) < 500
    return shown


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("command", ["scan", "fix"])
def test_a_file_that_cannot_be_judged(
    program: Program, compose: Callable[[bytes | str], Path], case: str, command: str
) -> None:
    bad = BAD[case]
    path = compose(bad.content)
    before = os.stat(path)
    outcome = program(command, path.name, *(["--write"] if command == "fix" else []))
    assert bad.reason in complaint(outcome, bad.line)
    assert "1 file could not be judged" in outcome.out or "so nothing is written" in outcome.err
    assert path.read_bytes() == bad.content
    assert (os.stat(path).st_ino, os.stat(path).st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert os.listdir(path.parent) == [path.name]


def test_a_named_pipe_does_not_block(program: Program, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "docker-compose.yml")
    assert "is a named pipe" in complaint(program("scan", "docker-compose.yml"))
    assert "is a named pipe" in complaint(program("scan", "."))


def test_a_hundred_megabytes_are_not_read(program: Program, tmp_path: Path) -> None:
    with open(tmp_path / "docker-compose.yml", "wb") as file:
        file.truncate(100 * 2**20)
    assert "too large to be a Compose file" in complaint(program("scan", "docker-compose.yml"))
    assert "too large" in complaint(program("scan", "-", stdin=b"# x\n" * (25 * 2**20)), name="<stdin>")


def test_eight_megabytes_are_bounded(program: Program, compose: Callable[[bytes | str], Path]) -> None:
    compose("services:\n" + "".join(f"  s{number}: {{image: redis:8}}\n" for number in range(250_000)))
    assert complaint(program("scan", "docker-compose.yml"))


def test_missing_unreadable_and_empty_places(program: Program, tmp_path: Path) -> None:
    assert "cannot be read: No such file or directory" in complaint(program("scan", "docker-compose.yml"))
    assert "no Compose file in this folder" in complaint(program("scan", "."), name=".")
    os.symlink("loop.yml", tmp_path / "loop.yml")
    assert "cannot be read: Too many levels of symbolic links" in complaint(
        program("scan", "loop.yml"), name="loop.yml"
    )


def test_a_file_without_permission(program: Program, compose: Callable[[bytes | str], Path]) -> None:
    compose(service("restart: always")).chmod(0)
    assert "cannot be read: Permission denied" in complaint(program("scan", "docker-compose.yml", powerless=True))


def test_tags_are_never_executed(program: Program, compose: Callable[[bytes | str], Path], tmp_path: Path) -> None:
    compose(service(f"labels: !!python/object/apply:os.system ['touch {tmp_path}/owned']"))
    outcome = program("scan", "docker-compose.yml")
    assert "Traceback" not in outcome.err
    assert outcome.code in (1, 2)
    assert not (tmp_path / "owned").exists()


def test_json_is_judged_as_compose_does(program: Program, compose: Callable[[bytes | str], Path]) -> None:
    compose('{"services": {"a": {"image": "redis:8"}}}\n')
    outcome = program("scan", "docker-compose.yml", "--select", "BW-LIM-001")
    assert outcome.code == 2
    assert outcome.out.startswith("docker-compose.yml:1: high BW-LIM-001 a: has no memory limit")


def test_an_undefined_variable_is_not_an_error(program: Program, compose: Callable[[bytes | str], Path]) -> None:
    compose(service("mem_limit: ${MEM}"))
    outcome = program("scan", "docker-compose.yml")
    assert outcome.code == 2
    assert "examined 1 file, 1 service" in outcome.out


def test_one_bad_file_does_not_hide_the_others(program: Program, compose: Callable[..., Path]) -> None:
    compose(service("restart: always"), "a.yml")
    compose(b"services: 3\n", "b.yml")
    outcome = program("scan", "a.yml", "b.yml")
    assert outcome.code == 1
    assert "a.yml:2: " in outcome.out
    assert "examined 1 file, 1 service" in outcome.out
    assert "1 file could not be judged" in outcome.out


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("severty: high\n", "severty: unknown name; did you mean severity?"),
        ("limits: {a: {memory: lots}}\n", "limits.a.memory"),
        ("kinds: {a: oracle}\n", "kinds.a"),
        ("waivers: [{control: BW-LIM-001}]\n", "no owner"),
        ("select: [BW-NO-001]\n", "no control"),
        ("[]\n", "must be a mapping"),
    ],
)
def test_settings_that_cannot_be_used(program: Program, compose: Callable[..., Path], text: str, reason: str) -> None:
    compose(service("restart: always"))
    compose(text, "breakwater.yml")
    assert reason in complaint(program("scan", "docker-compose.yml"), name="breakwater.yml")
