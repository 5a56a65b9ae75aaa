# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see of a plan: one diff per file, a reason for every change, the arithmetic. Pure functions.

The same text is shown in check mode and by the run that writes, so it holds no time, no id and no path of a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..compose.diff import text_diff
from ..policy.model import Change, Finding
from .masking import mask_text


def masked_diff(name: str, old: str, new: str) -> str:
    """Return the unified diff of two texts with every secret masked; both are masked whole before they are compared.

    Args:
        name: the path to show.
        old: the text as it is; "" for a file that appears.
        new: the text as planned.
    """
    if old == new:
        return ""
    name = name.lstrip("/")
    diff = text_diff(name, mask_text(old), mask_text(new))
    return diff or f"--- a/{name}\n+++ b/{name}\n(only values change that look like secrets, so they are not shown)\n"


def change_record(change: Change, path: str) -> dict[str, Any]:
    """Return a change as a record for results and for the generation's manifest."""
    return {
        "control": change.control,
        "service": change.service,
        "file": path,
        "summary": mask_text(change.summary),
        "reason": mask_text(change.reason),
        "impact": change.impact,
        "seconds": change.seconds,
    }


def reasons(changes: Sequence[Mapping[str, Any]]) -> str:
    """Return one line per change, by service: what is written, why, by which control, what it costs."""
    lines = []
    for service in dict.fromkeys(change["service"] for change in changes):
        lines.append(f"{service}: {service_cost([c for c in changes if c['service'] == service])}")
        lines.extend(
            f"  {change['summary']}\n      {change['control']}: {change['reason']}"
            for change in changes
            if change["service"] == service
        )
    return "".join(f"{line}\n" for line in lines)


def service_cost(changes: Sequence[Mapping[str, Any]]) -> str:
    """Say what the changes of one service cost together: the container is recreated once for all of them."""
    worst = max(changes, key=lambda change: (_IMPACT_ORDER[change["impact"]], change["seconds"]))
    if worst["impact"] == "none":
        return "no restart"
    return f"{worst['impact'].replace('_', ' ')}, about {max(c['seconds'] for c in changes):.0f} s"


_IMPACT_ORDER = {"none": 0, "reload": 1, "recreate": 2, "datastore_restart": 3}


def withheld_lines(findings: Iterable[Finding]) -> list[str]:
    """Return a line for each fix that is not planned, with why."""
    return [
        mask_text(f"{finding.service}: {finding.fix.summary} ({finding.control}) withheld: {finding.withheld}")
        for finding in findings
        if finding.fix is not None and finding.withheld
    ]


def report_lines(findings: Iterable[Finding]) -> list[str]:
    """Return a line for each finding that is only reported."""
    return [
        mask_text(f"{finding.service or 'stack'}: {finding.message} ({finding.control}, {finding.severity})")
        for finding in findings
        if finding.fix is None and not finding.waived
    ]


def explain(changes: Sequence[Mapping[str, Any]], budget: Sequence[str], withheld: Sequence[str]) -> str:
    """Return what stands below the diff: reasons, the host's arithmetic, what was withheld."""
    parts = []
    if changes:
        parts.append("Reasons\n" + reasons(changes))
    if changes and budget:
        parts.append("".join(f"{line}\n" for line in budget))
    if withheld:
        parts.append("Withheld\n" + "".join(f"  {line}\n" for line in withheld))
    return "\n".join(parts)
