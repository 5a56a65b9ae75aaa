# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
import yaml

from breakwater import exits, version
from breakwater.cli import run


def test_version_is_that_of_the_collection(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> None:
    galaxy = yaml.safe_load((request.config.rootpath / "galaxy.yml").read_text())
    assert version() == galaxy["version"]
    assert run(["--version"]) == exits.CLEAN
    assert capsys.readouterr().out == f"breakwater {galaxy['version']}\n"


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["help"], ["scan", "--help"], ["fix", "-h"]])
def test_help_is_no_error(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == exits.CLEAN
    assert capsys.readouterr().out.startswith("usage: breakwater ")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "no command given"),
        (["scna"], 'did you mean "scan"?'),
        (["--format"], "must follow a command"),
        (["scan", "--nope"], "no option --nope"),
        (["scan", "x.yml", "--select", "BW-NO"], "no control"),
        (["fix", "x.yml", "--host-memory", "much"], "--host-memory much"),
        (["\x1b]0;x\n::error::y"], '"\\x1b]0;x\\n::error::y"'),
    ],
)
def test_wrong_usage_has_a_code_of_its_own(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == exits.USAGE == 64
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
