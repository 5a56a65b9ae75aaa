# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from breakwater.render.sarif import render
from breakwater.report import Report

#: The npm package of SARIF's editors at Microsoft that ships the OASIS schema of 2.1.0.
PACKAGE = "@microsoft/jest-sarif@1.0.0-beta.0"
MEMBER = "package/lib/schemas/sarif-2.1.0-rtm.5.json"
CACHE = Path(__file__).parents[5] / ".cache/sarif"


@pytest.fixture(scope="module")
def validator() -> Any:
    """The real schema, fetched once with the ordinary client."""
    stored = CACHE / "sarif-2.1.0.json"
    if not stored.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            ["npm", "pack", "--silent", PACKAGE], cwd=CACHE, check=True, capture_output=True, text=True
        )
        with tarfile.open(CACHE / packed.stdout.strip()) as archive:
            member = archive.extractfile(MEMBER)
            assert member is not None
            stored.write_bytes(member.read())
    return Draft7Validator(json.loads(stored.read_text()))


@pytest.mark.parametrize("empty", [False, True])
def test_follows_the_real_schema(report: Report, validator: Any, empty: bool) -> None:
    validator.validate(json.loads(render(Report() if empty else report)))


def test_the_schema_would_notice(report: Report, validator: Any) -> None:
    log = json.loads(render(report))
    log["runs"][0]["results"][0]["level"] = "high"
    assert list(validator.iter_errors(log))


def test_results_point_at_rules_and_places(report: Report) -> None:
    run = json.loads(render(report))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        result["ruleId"] for result in run["results"]
    ]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "stack%20dir/%C3%BC.yml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 4},
    }
    assert "region" not in run["results"][2]["locations"][0]["physicalLocation"]


def test_waivers_are_suppressions_and_problems_are_notifications(report: Report) -> None:
    run = json.loads(render(report))["runs"][0]
    assert [len(result.get("suppressions", ())) for result in run["results"]] == [0, 1, 0]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 2
