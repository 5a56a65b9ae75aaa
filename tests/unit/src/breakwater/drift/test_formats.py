# SPDX-License-Identifier: GPL-3.0-or-later
"""Every format holds what it must, and hostile names stay inside the place that is theirs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from breakwater.drift import rendered
from breakwater.drift.formats import markdown
from breakwater.drift.model import STATES, Diff, DriftReport, Host
from breakwater.drift.reading import read
from breakwater.drift.words import tidy

from .conftest import HOSTILE, ended, entry, event, judged

SCHEMA = json.loads((Path(__file__).parents[5] / "docs/schemas/drift-1.json").read_text())


@pytest.fixture(scope="module")
def hostile() -> DriftReport:
    """A report with every state, where every word that a host chooses is hostile."""
    name = tidy(HOSTILE)
    entries = [entry(state, name)._replace(owner=name, until="2026-12-01", days_left=7) for state in STATES]
    host = Host(name, "failed", name, 1, ("BW-LIM-003",))
    return DriftReport((host,), tuple(entries), (Diff(name, f"--- a\n+++ b\n+{'`' * 5}\n"),), (name,), at=1)


@pytest.mark.parametrize("which", ["recorded", "hostile"])
def test_json_keeps_its_schema(which: str, report: DriftReport, hostile: DriftReport) -> None:
    data = json.loads(rendered(report if which == "recorded" else hostile, "json"))
    jsonschema.Draft202012Validator(SCHEMA).validate(data)
    assert sum(data["summary"].values()) == sum(len(host["entries"]) for host in data["hosts"])


def test_the_schema_is_one_and_closes_what_it_can() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    broken = {"schema_version": 1, "verdict": "clean"}
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(broken))


def test_control_characters_never_reach_a_report() -> None:
    failed = event("runner_on_failed", "h\x1b]0;", msg=HOSTILE, changed=False)
    found = read([*judged(), failed], ended())
    for name in ("text", "json", "github", "markdown", "prometheus"):
        shown = rendered(found, name)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)


def test_text_says_each_state_in_words(hostile: DriftReport) -> None:
    lines = rendered(hostile, "text").splitlines()
    for word in ("FAILED", "UNREACHABLE", "NOT CHECKED", "DRIFTED", "WITHHELD", "waived", "to look at"):
        assert any(line.startswith(f"  {word} ") for line in lines)
    assert lines[-1].startswith("not fully checked: 1 host, 1 service: 1 failed,")
    assert any(line.endswith("until 2026-12-01 (7 days left)") for line in lines)


def test_junit_counts_what_it_holds(hostile: DriftReport) -> None:
    root = ET.fromstring(rendered(hostile, "junit"))
    counts = {name: int(root.attrib[name]) for name in ("tests", "failures", "errors")}
    assert counts == {"tests": len(STATES) + 2, "failures": 2, "errors": 4}
    assert len(root.findall(".//testcase")) == counts["tests"]
    assert len(root.findall(".//failure")) == counts["failures"]
    assert len(root.findall(".//error")) == counts["errors"]
    assert len(root.findall(".//skipped")) == 2


def test_sarif_places_results_and_suppresses_what_is_waived(report: DriftReport, hostile: DriftReport) -> None:
    for one in (report, hostile):
        (run,) = json.loads(rendered(one, "sarif"))["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert [rules[result["ruleIndex"]] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
        assert run["invocations"][0]["executionSuccessful"] is False
        prints = [result["partialFingerprints"]["breakwaterDrift/v1"] for result in run["results"]]
        assert len(set(prints)) == len(prints)
        suppressed = [result for result in run["results"] if "suppressions" in result]
        assert len(suppressed) == 1
        for result in run["results"]:
            uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"[\w.~%/-]+", uri, re.ASCII)


def test_fingerprints_do_not_follow_values_and_lines(report: DriftReport) -> None:
    moved = tuple(one._replace(line=99, message="other words") for one in report.entries)
    first, second = (
        [r["partialFingerprints"] for r in json.loads(rendered(one, "sarif"))["runs"][0]["results"]]
        for one in (report, report._replace(entries=moved))
    )
    assert first == second


def test_github_annotations_are_lines_of_their_own(hostile: DriftReport) -> None:
    lines = rendered(hostile, "github").splitlines()
    assert len(lines) == 5 + 1 + 1
    assert all(
        re.match(r"::(error|warning|notice) file=[^:,]*(,line=\d+)?,title=[^:,]*::", line) for line in lines[:-1]
    )
    assert not lines[-1].startswith("::")


def test_markdown_holds_nothing_but_its_own_markup(hostile: DriftReport) -> None:
    text = rendered(hostile, "markdown")
    outside = re.sub(r"<code>.*?</code>", "", text.partition("\n<details>")[0])
    assert not re.search(r"[@`<>#*\[\]\\]", outside.removeprefix("### "))
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(line.count("|") == 6 for line in rows)
    assert len(rows) == len(STATES) + 2
    assert f"{'`' * 6}diff\n" in text


@pytest.mark.parametrize(("rows", "length"), [(3000, 10), (10, 5000), (1, 200_000)])
def test_markdown_fits_a_comment(rows: int, length: int) -> None:
    found = entry("drifted")._replace(host="h", message="ä@" * length)
    diffs = (Diff("h", "+ä\n" * 50_000),)
    big = DriftReport((Host("h", "drifted", "p", 1, ()),), (found,) * rows, diffs, ("x" * length,) * 3)
    text = markdown.render(big)
    assert len(text.encode()) < 65_536
    assert "the JSON report has them" in text


def test_prometheus_metrics_can_be_read_back(hostile: DriftReport) -> None:
    text = rendered(hostile, "prometheus")
    sample = re.compile(r'breakwater_drift_\w+(\{(\w+="([^"\\\n]|\\["\\n])*",?)+\})? -?\d+')
    for line in text.splitlines():
        assert line.startswith(("# HELP breakwater_drift_", "# TYPE breakwater_drift_")) or sample.fullmatch(line)
    assert "breakwater_drift_complete 0\n" in text
    assert "breakwater_drift_last_check_timestamp_seconds 1\n" in text
    assert text.count("_waiver_days_left{") == 1
