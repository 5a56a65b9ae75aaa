# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from breakwater.render.json import as_data, render
from breakwater.report import Report

SCHEMA = Path(__file__).parents[5] / "docs/schemas/scan-1.json"


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("empty", [False, True])
def test_follows_the_published_schema(report: Report, validator: Any, empty: bool) -> None:
    validator.validate(json.loads(render(Report() if empty else report)))


def test_the_schema_knows_every_key(report: Report, validator: Any) -> None:
    data = as_data(report)
    assert set(data) == set(validator.schema["properties"])
    assert set(data["findings"][0]) == set(validator.schema["$defs"]["finding"]["properties"])


@pytest.mark.parametrize("key", ["schema_version", "findings", "errors"])
def test_the_schema_refuses_a_report_without(report: Report, validator: Any, key: str) -> None:
    data = as_data(report)
    del data[key]
    with pytest.raises(ValidationError):
        validator.validate(data)


def test_counts_and_content(report: Report) -> None:
    data = as_data(report)
    assert data["summary"] == {"findings": 2, "waived": 1, "errors": 2}
    assert data["findings"][0]["fix"] == {
        "summary": "mem_limit: 512m",
        "reason": "share of 24g",
        "impact": "recreate",
        "seconds": 6.0,
    }
    assert [finding["waived"] for finding in data["findings"]] == [False, True, False]
    assert data["errors"][0] == {"file": "b.yml", "line": 3, "reason": "tab used as indentation", "hint": "use spaces"}
