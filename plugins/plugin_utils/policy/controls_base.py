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


def fix(
    number: str,
    title: str,
    severity: str,
    kinds: frozenset[str],
    impact: str,
    link: str,
    changes: str,
    why: str,
    cis: str = "",
) -> Control:
    """Return a row that fixes."""
    return Control(f"BW-{number}", title, why, severity, kinds, "fix", impact, link, changes, "", cis)


def report(number: str, title: str, severity: str, kinds: frozenset[str], link: str, why: str, because: str) -> Control:
    """Return a row that only reports, and why."""
    return Control(f"BW-{number}", title, why, severity, kinds, "report", "none", link, "", because, cis)
