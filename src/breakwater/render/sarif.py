# SPDX-License-Identifier: GPL-3.0-or-later
"""SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), as code scanning of GitHub and others read it."""

from __future__ import annotations

import json
import re

from breakwater import version
from breakwater.render.fingerprint import Fingerprints, repository_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Control
    from breakwater.report import Item, Problem, Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
#: What GitHub shows as severity of a security finding: above 9.0 critical, 7.0 high, 4.0 medium, else low.
SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.0"}
_URL = re.compile(r"https://[^\s)]+")


def render(report: Report) -> str:
    """Write the report as a SARIF log with one run."""
    controls: dict[str, Control] = {item.control.id: item.control for item in report.items}
    order = sorted(controls)
    fingerprints = Fingerprints()
    run = {
        "tool": {
            "driver": {
                "name": "breakwater",
                "semanticVersion": version(),
                "version": version(),
                "rules": [rule(controls[name]) for name in order],
            }
        },
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": _location(name)} for name in dict.fromkeys(report.files)],
        "invocations": [
            {
                "executionSuccessful": not report.problems,
                "toolExecutionNotifications": [_notification(problem) for problem in report.problems],
            }
        ],
        "results": [_result(item, order.index(item.control.id), fingerprints) for item in report.items],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def rule(control: Control) -> dict[str, Any]:
    """Describe a control as a rule."""
    described: dict[str, Any] = {
        "id": control.id,
        "name": "".join(word.capitalize() for word in re.findall(r"\w+", control.title)),
        "shortDescription": {"text": control.title},
        "fullDescription": {"text": control.why},
        "help": {"text": f"{control.why}\n{control.link}"},
        "defaultConfiguration": {"level": LEVELS[control.severity]},
        "properties": {"security-severity": SCORES[control.severity], "tags": ["security", _subject(control)]},
    }
    link = _URL.search(control.link)
    if link:
        described["helpUri"] = link[0]
    return described


def _subject(control: Control) -> str:
    """What the rule is about: Compose files, or the server's dynamic configuration."""
    return "temporal" if control.id.startswith("TL") else "docker-compose"


def _result(item: Item, index: int, fingerprints: Fingerprints) -> dict[str, Any]:
    finding = item.finding
    text = f"{finding.service}: {finding.message}" if finding.service else finding.message
    if finding.fix is not None:
        text += f"\nFix: {finding.fix.summary}"
    result: dict[str, Any] = {
        "ruleId": finding.control,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [_place(item.file, finding.line)],
        "partialFingerprints": {"breakwater/v1": fingerprints.of(item)},
    }
    if finding.waived and finding.waiver is not None:
        kind = "external" if finding.waiver.source.endswith("breakwater.yml") else "inSource"
        result["suppressions"] = [{"kind": kind, "status": "accepted", "justification": finding.waiver.reason}]
    return result


def _notification(problem: Problem) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": f"{problem.reason}; {problem.hint}" if problem.hint else problem.reason},
        "locations": [_place(problem.file, problem.line)],
    }


def _place(file: str, line: int | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _location(file)}
    if line is not None:
        physical["region"] = {"startLine": line}
    return {"physicalLocation": physical}


def _location(name: str) -> dict[str, Any]:
    """A file as URI reference, relative to the root of the repository where that is where the run starts."""
    from urllib.parse import quote

    path = quote(repository_path(name).encode("utf-8", "surrogateescape"))
    return {"uri": path} if path.startswith("..") else {"uri": path, "uriBaseId": "%SRCROOT%"}
