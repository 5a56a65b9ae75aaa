# SPDX-License-Identifier: GPL-3.0-or-later
"""temporal_lint in a playbook: what it finds, what makes it fail, and what it says of a file that it cannot judge."""

from __future__ import annotations

from typing import Any

import pytest

from playbooks import run_tasks

TASKS: list[dict[str, Any]] = [
    {"path": "good.yaml"},
    {"path": "bad.yaml"},
    {"path": "bad.yaml", "fail_on": "never"},
    {"path": "bad.yaml", "ignore": ["TL01"], "severity": "info"},
    {"path": "none.yaml"},
    {"path": "link.yaml"},
    {"path": "latin.yaml"},
    {"path": "good.yaml", "server_version": "1.2"},
    {"path": "good.yaml", "ignore": ["BW"]},
    {"path": "good.yaml", "server_version": "1.99.0"},
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Run every task in one playbook, in check mode; gives their results."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "good.yaml").write_text("frontend.rps:\n  - value: 9\n")
    (folder / "bad.yaml").write_text(
        "frontend.rsp:\n  - value: 9\nmatching.longPollExpirationInterval:\n  - value: 60\n"
    )
    (folder / "latin.yaml").write_bytes("# ü\n".encode("latin-1"))
    (folder / "link.yaml").symlink_to("good.yaml")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    tasks = [{**options, "path": str(folder / options["path"])} for options in TASKS]
    found = run_tasks(
        tmp_path_factory.mktemp("play"), "breakwater.stack.temporal_lint", tasks, tuple(range(len(TASKS)))
    )
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    return found


def test_a_good_file_passes(results: list[dict[str, Any]]) -> None:
    assert not results[0].get("failed")
    assert (results[0]["findings"], results[0]["keys"], results[0]["changed"]) == ([], 1, False)
    assert "newer than the table" in results[9]["note"]


def test_findings_fail_the_task_unless_it_is_told_otherwise(results: list[dict[str, Any]]) -> None:
    assert results[1]["failed"]
    assert "bad.yaml:1: high TL010 frontend.rsp: is not a key of Temporal 1.31; did you mean" in results[1]["msg"]
    assert not results[2].get("failed")
    assert [(found["code"], found["line"]) for found in results[2]["findings"]] == [("TL010", 1)]
    assert not results[3].get("failed")
    assert [found["code"] for found in results[3]["findings"]] == ["TL021"]


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (4, "none.yaml: does not exist; name the dynamic configuration file on localhost"),
        (5, "link.yaml: is a symbolic link; name the file itself"),
        (6, "latin.yaml:1: byte 0xfc is not UTF-8"),
        (7, "server_version: Temporal 1.2 is older than the table"),
        (8, 'ignore: "BW" is no rule'),
    ],
)
def test_what_cannot_be_judged_is_said_in_one_line(results: list[dict[str, Any]], number: int, message: str) -> None:
    assert results[number]["failed"]
    assert message in results[number]["msg"]
    assert "\n" not in results[number]["msg"]
