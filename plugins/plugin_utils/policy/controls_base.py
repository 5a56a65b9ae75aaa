# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of the table of controls have in common: links, groups of kinds, and the two sorts of rows."""

from __future__ import annotations

from .model import KINDS, Control

SERVICES = "https://docs.docker.com/reference/compose-file/services/#"
RESOURCES = "https://docs.docker.com/engine/containers/resource_constraints/"
PG_RESOURCE = "https://www.postgresql.org/docs/current/runtime-config-resource.html"
GO_GC = "https://go.dev/doc/gc-guide#Memory_limit"

ALL = frozenset(KINDS)
DAEMONS = ALL - {"temporal-schema"}
TEMPORAL = frozenset({"temporal"})
POSTGRES = frozenset({"postgres"})
REDIS = frozenset({"redis"})


#: Numbers in the CIS Docker Benchmark 1.6.
CIS = {
    "HLT-001": "5.27",
    "LIM-001": "5.11",
    "LIM-003": "5.12",
    "LIM-004": "5.29",
    "OPS-001": "5.15",
    "OPS-006": "5.28",
    "OPS-007": "5.19",
    "SEC-001": "5.26",
    "SEC-002": "5.4",
    "SEC-003": "5.13",
    "SEC-004": "4.1",
    "SEC-005": "5.5",
    "SEC-006": "5.32",
    "SEC-007": "5.10, 5.16, 5.17",
    "SEC-008": "5.14",
    "SEC-010": "5.4",
}


def fix(
    number: str, title: str, severity: str, kinds: frozenset[str], impact: str, link: str, changes: str, why: str
) -> Control:
    """Return a row that fixes."""
    return Control(
        f"BW-{number}", title, why, severity, kinds, "fix", impact, link, changes=changes, cis=CIS.get(number, "")
    )


def report(number: str, title: str, severity: str, kinds: frozenset[str], link: str, why: str, because: str) -> Control:
    """Return a row that only reports, and why."""
    return Control(
        f"BW-{number}",
        title,
        why,
        severity,
        kinds,
        "report",
        "none",
        link,
        report_only_because=because,
        cis=CIS.get(number, ""),
    )
