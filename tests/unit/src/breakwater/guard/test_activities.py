# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from breakwater.guard.__main__ import USAGE, main
from breakwater.guard.activities import Silent, silent_activities

SOURCE = """\
from temporalio import activity, workflow
from temporalio.activity import defn

@activity.defn
def quick(): return 1

@activity.defn(name="other")
async def looping():
    while True:
        await step()

@defn
def bare(): helper()

@activity.defn
def beats():
    for _ in range(9):
        activity.heartbeat()

@activity.defn
def beats_elsewhere(): helper_that_beats()

@activity.defn
def beats_by_helper():
    with Beating(at_most=HOUR):
        for item in heartbeats.each(ITEMS): ...

def helper(): helper()
def helper_that_beats(): another()
def another(): activity.heartbeat()

@workflow.defn
class Flow:
    @workflow.run
    async def run(self): ...

@unknown.defn
def of_something_else(): ...
"""


def test_lists_activities_without_heartbeats() -> None:
    assert silent_activities(SOURCE) == [
        Silent(5, "quick", False),
        Silent(8, "looping", True),
        Silent(13, "bare", False),
    ]


def test_the_command_names_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, clean = tmp_path / "source.py", tmp_path / "clean.py"
    source.write_text(SOURCE)
    clean.write_text("x = 1\n")
    assert main(["heartbeats", str(clean)]) == 0
    assert main(["heartbeats", str(clean), str(source)]) == 2
    assert f"{source}:8: looping gives no heartbeats and has a loop\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"def (", ":1: invalid syntax; name a Python file"),
        (b"\xff", ": not Python in UTF-8; name a Python file"),
        (b"x\0", "; name a Python file"),
        (None, ": No such file or directory; name a readable Python file"),
    ],
)
def test_what_cannot_be_read(
    content: bytes | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "source.py"
    if content is not None:
        path.write_bytes(content)
    assert main(["heartbeats", str(path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(str(path))
    assert told.endswith(f"{message}\n")
    assert told.count("\n") == 1


def test_policies_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text("schema_version: 1\n")
    bad.write_text("schema_version: 1\nnonsense: 1\n")
    assert main(["policy", str(good)]) == 0
    assert main(["policy", str(good), str(bad)]) == 1
    assert capsys.readouterr().err.startswith(f"{bad}:2: the key 'nonsense'")


@pytest.mark.parametrize(
    ("redirection", "says"),
    [("| true", ""), (">/dev/full", "breakwater.guard: standard output: No space left on device\n")],
)
def test_an_output_that_takes_nothing_ends_without_a_traceback(tmp_path: Path, redirection: str, says: str) -> None:
    source = tmp_path / "source.py"
    source.write_text("from temporalio.activity import defn\n" + "@defn\ndef a(): pass\n" * 5000)
    command = f"{sys.executable} -m breakwater.guard heartbeats {source} {redirection}"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, check=False, timeout=30)
    assert (done.stderr, done.returncode) == (says, 1 if says else 0)


@pytest.mark.parametrize("arguments", [[], ["policy"], ["nonsense", "file"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 64
    assert capsys.readouterr().err == USAGE
    assert main(["--help"]) == 0
