# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.keys import DEFAULT_VERSION
from breakwater import exits
from breakwater.arguments import TEMPORAL_LINT
from breakwater.cli import run

SCHEMA = Path(__file__).parents[4] / "docs/schemas/scan-1.json"
BAD = "frontend.namspaceRPS:\n  - value: 400\nmatching.longPollExpirationInterval:\n  - value: 60\n"


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "dynamic.yaml"
    path.write_text(BAD)
    return path


def test_findings(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["temporal", "lint", bad.name]) == exits.FINDINGS
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "dynamic.yaml:1: high TL010 frontend.namspaceRPS: is not a key of Temporal 1.31; did you"
    )
    assert lines[1].startswith("    why: ")
    assert lines[2:] == ["note: judged for Temporal 1.31", "examined 1 file, 2 keys: 1 finding (1 high)"]


def test_severity_and_ignored_rules(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["temporal", "lint", bad.name, "--severity", "info"]) == exits.FINDINGS
    assert "TL021" in capsys.readouterr().out
    assert run(["temporal", "lint", bad.name, "--severity", "critical"]) == exits.CLEAN
    assert run(["temporal", "lint", bad.name, "--ignore", "TL01"]) == exits.CLEAN
    assert "no findings" in capsys.readouterr().out


def test_the_version_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dynamic.yaml"
    path.write_text("history.namespaceRPS:\n  - value: 400\n")
    assert run(["temporal", "lint", str(path)]) == exits.FINDINGS
    assert run(["temporal", "lint", str(path), "--server-version", "1.32.0"]) == exits.CLEAN
    assert DEFAULT_VERSION in TEMPORAL_LINT["--server-version"].help
    capsys.readouterr()
    assert run(["temporal", "lint", str(path), "--server-version", "1.99"]) == exits.CLEAN
    assert "newer than the table" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["json", "sarif", "github", "gitlab", "junit"])
def test_every_format_carries_the_finding(bad: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["temporal", "lint", bad.name, "--format", name]) == exits.FINDINGS
    out = capsys.readouterr().out
    assert "TL010" in out
    if name == "sarif":
        log = json.loads(out)["runs"][0]
        assert log["tool"]["driver"]["rules"][0]["properties"]["tags"] == ["security", "temporal"]
        assert log["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}


def test_json_follows_the_published_schema(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["temporal", "lint", bad.name, "missing.yaml", "--severity", "info", "--format", "json"]) == exits.ERROR
    found = json.loads(capsys.readouterr().out)
    assert {finding["control"] for finding in found["findings"]} >= {"TL010", "TL021"}
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(found)


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert run(["temporal", "lint", "-", "--stdin-filename", "d.yaml"]) == exits.FINDINGS
    assert capsys.readouterr().out.startswith("d.yaml:1: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a: \xff\n", "not UTF-8"),
        (b"- a\n", "must be a mapping"),
        (b"a: [1]\na: [2]\n", "given twice"),
        (b"a: &a [*a]\n", "inside what it names"),
        (b"a: [\n", "not valid YAML"),
        (
            b"\n".join(
                b"k%d: &k%d [%s]" % (n, n, b", ".join([b"*k%d" % (n - 1)] * 10) if n else b"x") for n in range(9)
            ),
            "aliases expand",
        ),
    ],
)
def test_a_file_that_cannot_be_judged(
    tmp_path: Path, content: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "dynamic.yaml"
    path.write_bytes(content)
    assert run(["temporal", "lint", str(path)]) == exits.ERROR
    captured = capsys.readouterr()
    assert captured.err.startswith(f"{path}")
    assert captured.err.count("\n") == 1
    assert reason in captured.err
    assert "Compose" not in captured.err
    assert "1 file could not be judged" in captured.out


def test_a_missing_file_does_not_hide_the_other(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["temporal", "lint", "none.yaml", bad.name]) == exits.ERROR
    captured = capsys.readouterr()
    assert captured.err == "none.yaml: cannot be read: No such file or directory; check the name\n"
    assert "dynamic.yaml:1: high TL010" in captured.out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["temporal"], '"breakwater temporal" has one command, lint'),
        (["temporal", "lnt"], '"breakwater temporal" has one command, lint'),
        (["temporal", "lint"], "name at least one FILE"),
        (["temporal", "lint", "a", "--server-version", "1.2"], "--server-version: Temporal 1.2 is older"),
        (["temporal", "lint", "a", "--server-version", "new"], '--server-version: "new" is no version'),
        (["temporal", "lint", "a", "--ignore", "BW-LIM"], '--ignore: "BW-LIM" is no rule'),
    ],
)
def test_wrong_usage(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == exits.USAGE
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("argv", [["temporal", "--help"], ["temporal", "lint", "-h"]])
def test_help(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == exits.CLEAN
    assert capsys.readouterr().out.startswith("usage: breakwater temporal lint [OPTION]... FILE...")
