# SPDX-License-Identifier: GPL-3.0-or-later
"""SARIF 2.1.0: a result per thing that differs, with ``HOST/FILE`` as its place."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.controls import control, control_ids
from breakwater import version
from breakwater.drift.formats.text import WORDS, details, place
from breakwater.drift.model import INCOMPLETE, DriftReport, Entry
from breakwater.render.sarif import LEVELS, SCHEMA, SCORES, rule

#: Rules for what no control is behind, by the subject of the entry.
_SUBJECTS = {
    "file": "A file is not as hardening would write it",
    "container": "A container does not run as the files say",
    "task": "A task of the hardening would change something",
    "stack": "The stack is not as a finished run leaves it",
}


def render(report: DriftReport) -> str:
    """Write the report as a SARIF log with one run."""
    found = [entry for entry in report.entries if entry.state not in INCOMPLETE]
    rules = sorted({_rule_id(entry) for entry in found})
    failed = [f"{entry.host}: {entry.message}" for entry in report.of(*INCOMPLETE)] + list(report.problems)
    counts: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {
                "name": "breakwater drift",
                "version": version(),
                "semanticVersion": version(),
                "rules": [_rule(name) for name in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": report.complete,
                "toolExecutionNotifications": [{"level": "error", "message": {"text": text}} for text in failed],
            }
        ],
        "results": [_result(entry, rules, counts) for entry in found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule_id(entry: Entry) -> str:
    return entry.control or f"drift/{entry.subject}"


def _rule(name: str) -> dict[str, Any]:
    """Describe a rule: that of the control where there is one."""
    if name in control_ids():
        return rule(control(name))
    title = _SUBJECTS.get(name.removeprefix("drift/"), name)
    return {
        "id": name,
        "shortDescription": {"text": title},
        "defaultConfiguration": {"level": LEVELS["medium"]},
        "properties": {"security-severity": SCORES["medium"], "tags": ["drift"]},
    }


def _result(entry: Entry, rules: list[str], counts: Counter[str]) -> dict[str, Any]:
    """Describe one entry; what people have to look at only is a note, and what is waived is suppressed."""
    text = "\n".join([f"{WORDS[entry.state].lower()}: {entry.message}", *(": ".join(row) for row in details(entry))])
    path = entry.file or entry.container or place(entry)
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(f"{entry.host}/{path}")}}
    if entry.line is not None:
        physical["region"] = {"startLine": entry.line}
    result: dict[str, Any] = {
        "ruleId": _rule_id(entry),
        "ruleIndex": rules.index(_rule_id(entry)),
        "level": "note" if entry.state == "reported" else LEVELS.get(entry.severity, "warning"),
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": physical,
                "logicalLocations": [{"name": entry.host, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"breakwaterDrift/v1": _fingerprint(entry, counts)},
    }
    if entry.state == "waived":
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": entry.reason}]
    return result


def _fingerprint(entry: Entry, counts: Counter[str]) -> str:
    """Tell entries apart by what they are about, not by values and lines, which change from day to day."""
    text = "\0".join((entry.host, entry.subject, entry.control, entry.service, entry.file))
    counts[text] += 1
    return sha256(f"{text}\0{counts[text]}".encode("utf-8", "surrogateescape")).hexdigest()
