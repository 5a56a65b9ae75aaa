# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .cases import service
from .conftest import ROOT, Program

HOST = ("--host-memory", "24g", "--host-cpus", "2")
EXAMPLE = (ROOT / "examples/generic-corp/docker-compose.yml").read_bytes()


def test_shows_a_diff_that_patch_applies_and_write_makes_the_same(
    program: Program, compose: Callable[..., Path], tmp_path: Path
) -> None:
    path = compose(EXAMPLE)
    shown = program("fix", path.name, *HOST)
    assert shown.code == 2
    assert path.read_bytes() == EXAMPLE
    subprocess.run(["patch", "-p1"], input=shown.out, text=True, cwd=tmp_path, check=True, capture_output=True)
    patched = path.read_bytes()
    compose(EXAMPLE)
    written = program("fix", path.name, *HOST, "--write")
    assert written.code == 0
    assert "wrote docker-compose.yml" in written.err
    assert path.read_bytes() == patched != EXAMPLE


def test_twice_is_once_and_leaves_nothing_fixable(program: Program, compose: Callable[..., Path]) -> None:
    path = compose(EXAMPLE)
    program("fix", path.name, *HOST, "--write")
    once = path.read_bytes()
    again = program("fix", path.name, *HOST, "--write")
    assert (again.code, again.out) == (0, "")
    assert "nothing to change" in again.err
    assert path.read_bytes() == once
    assert "0 of them fixable" in program("scan", path.name, *HOST).out


def test_only_lines_are_added_or_replaced_that_the_reasons_name(program: Program, compose: Callable[..., Path]) -> None:
    path = compose(EXAMPLE)
    outcome = program("fix", path.name, *HOST, "--select", "BW-LIM-001", "--write")
    added = [line for line in outcome.out.splitlines() if line.startswith("+") and not line.startswith("+++")]
    removed = [line for line in outcome.out.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert removed == []
    assert len(added) == 7
    assert all(line.strip("+ ").startswith("mem_limit: ") for line in added)


def test_the_host_is_always_stated(program: Program, compose: Callable[..., Path]) -> None:
    path = compose(EXAMPLE)
    assert "note: host: 24g of memory, 2 CPUs (--host-memory and --host-cpus)" in program("fix", path.name, *HOST).err
    assert "CPUs (this machine)" in program("fix", path.name).err


def test_an_impossible_budget_writes_nothing(program: Program, compose: Callable[..., Path]) -> None:
    path = compose(EXAMPLE)
    outcome = program("fix", path.name, "--host-memory", "1g", "--host-cpus", "2", "--write")
    assert outcome.code == 1
    assert "add up to" in outcome.err
    assert path.read_bytes() == EXAMPLE


def test_one_bad_file_and_nothing_is_written(program: Program, compose: Callable[..., Path]) -> None:
    good = compose(EXAMPLE, "a.yml")
    compose(b"services: 3\n", "b.yml")
    outcome = program("fix", "a.yml", "b.yml", *HOST, "--write")
    assert outcome.code == 1
    assert good.read_bytes() == EXAMPLE


def test_a_project_of_two_files_is_fixed_in_both(program: Program, compose: Callable[..., Path]) -> None:
    base = compose("services:\n  a:\n    image: redis:8.0.2\n", "compose.yml")
    override = compose("services:\n  a:\n    mem_limit: 256m\n", "compose.override.yml")
    assert program("fix", ".", *HOST, "--write").code == 0
    assert "mem_limit" not in base.read_text()
    assert override.read_text().startswith("services:\n  a:\n    mem_limit: 256m\n")
    assert program("fix", ".", *HOST).code == 0


def test_a_link_is_followed_and_that_is_said(program: Program, compose: Callable[..., Path], tmp_path: Path) -> None:
    os.mkdir(tmp_path / "real")
    compose(EXAMPLE, "real/stack.yml")
    os.symlink("real/stack.yml", tmp_path / "docker-compose.yml")
    outcome = program("fix", "docker-compose.yml", *HOST, "--write")
    assert outcome.code == 0
    assert f"wrote {tmp_path}/real/stack.yml (through the symbolic link docker-compose.yml)" in outcome.err
    assert os.readlink(tmp_path / "docker-compose.yml") == "real/stack.yml"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark_stay(program: Program, compose: Callable[..., Path], mark: bytes) -> None:
    content = mark + service("restart: always").replace(b"\n", b"\r\n")
    path = compose(content)
    assert program("fix", path.name, *HOST, "--write").code == 0
    after = path.read_bytes()
    assert after.startswith(mark + b"services:\r\n")
    assert after.count(b"\n") == after.count(b"\r\n") > content.count(b"\r\n")


def test_secrets_are_masked_in_the_diff_and_kept_in_the_file(program: Program, compose: Callable[..., Path]) -> None:
    text = (
        "services:\n  db:\n    image: postgres:17.6\n    environment:\n      POSTGRES_PASSWORD: canary-1\n"
        "      URL: postgres://user:canary-2@db/x\n    command: postgres -c log_statement=none\n"
    )
    path = compose(text)
    outcome = program("fix", path.name, *HOST, "--write")
    assert outcome.code == 0
    assert "canary" not in outcome.out + outcome.err
    assert "POSTGRES_PASSWORD: ********" in outcome.out
    assert path.read_text().count("canary") == 2


def test_a_file_that_cannot_be_replaced_is_told(program: Program, compose: Callable[..., Path], tmp_path: Path) -> None:
    path = compose(EXAMPLE)
    os.link(path, tmp_path / "second")
    outcome = program("fix", path.name, *HOST, "--write")
    assert outcome.code == 1
    assert "hard links" in outcome.err.splitlines()[-1]
    assert path.read_bytes() == EXAMPLE
