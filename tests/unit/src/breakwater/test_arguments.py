# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from breakwater.arguments import CONNECTIONS, FIX, SCAN, read_options
from breakwater.exits import UsageError
from breakwater.help import connections_help, fix_help, scan_help


def test_values_come_after_a_blank_or_an_equals_sign() -> None:
    options = read_options(
        "scan", SCAN, ["a.yml", "--format", "json", "--output=x=y.json", "--select", "BW-LIM, BW-SEC-001"]
    )
    assert (options.files, options.format, options.output) == (["a.yml"], "json", "x=y.json")
    assert options.select == ["BW-LIM", "BW-SEC-001"]


def test_lists_add_up_and_options_may_follow_files() -> None:
    options = read_options("fix", FIX, ["--kind", "a=redis", "x.yml", "--kind=b=worker,c=other", "--write"])
    assert options.kind == ["a=redis", "b=worker", "c=other"]
    assert options.write is True


def test_two_dashes_end_the_options() -> None:
    assert read_options("scan", SCAN, ["--", "--odd.yml", "-"]).files == ["--odd.yml", "-"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "name at least one FILE"),
        (["--frmat", "json", "x"], "no option --frmat; did you mean --format?"),
        (["x", "--format"], "--format needs a value: --format FORMAT"),
        (["x", "--format", "xml"], '--format is "xml"; it must be one of text, json'),
        (["x", "--severity", ""], '--severity is ""; it must be one of'),
        (["x", "--kind", "redis"], '--kind is "redis"; write --kind SERVICE=KIND'),
        (["x", "--kind", "=redis"], "write --kind SERVICE=KIND"),
        (["-", "-"], '"-" can be given once'),
        (["x", "--write"], "no option --write"),
        (["x", "--help=yes"], "--help takes no value"),
        (["-x"], "no option -x"),
    ],
)
def test_wrong_usage_is_told_in_one_line(argv: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_options("scan", SCAN, argv)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_standard_input_cannot_be_written() -> None:
    with pytest.raises(UsageError, match="--write cannot write standard input"):
        read_options("fix", FIX, ["-", "--write"])


def test_help_needs_no_file() -> None:
    assert read_options("scan", SCAN, ["-h"]).help is True


def test_a_command_without_files_refuses_them() -> None:
    with pytest.raises(UsageError, match=r'it takes no FILE \("x.yml"\)'):
        read_options("connections", CONNECTIONS, ["x.yml"])
    options = read_options("connections", CONNECTIONS, ["--file", "a.yml,b.yml", "--role=watcher"])
    assert (options.project_dir, options.file, options.role) == (".", ["a.yml", "b.yml"], "watcher")


@pytest.mark.parametrize(("text", "table"), [(scan_help(), SCAN), (fix_help(), FIX), (connections_help(), CONNECTIONS)])
def test_help_tells_every_option_examples_and_exit_codes(text: str, table: dict[str, object]) -> None:
    for name in table:
        assert f"  {name} " in text
    assert "examples:" in text
    assert "exit codes:" in text
    assert max(len(line) for line in text.splitlines()) <= 120
