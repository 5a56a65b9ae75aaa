# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of controls, made from the table: ``python -m ...policy.reference > docs/controls.md``."""

from __future__ import annotations

from .controls import CONTROLS
from .model import DATA_STORES, KINDS, Control

_GROUPS = {
    "LIM": "Limits",
    "HLT": "Health",
    "OPS": "Operations",
    "SEC": "Security",
    "CPL": "Coupled values",
    "PG": "PostgreSQL",
}

_HEAD = """# Controls

<!-- Made from the table of controls (plugins/plugin_utils/policy/controls.py) by `python -m
ansible_collections.breakwater.stack.plugins.plugin_utils.policy.reference`; a test says when it is not current. -->

A control either **fixes**, where the fix is safe on a running stack, or **reports**, where it is not; then it says why.
The impact is what applying it costs a service: `none`, `reload`, `recreate` (its container is replaced), or
`datastore_restart` (the same for PostgreSQL and Redis). CIS numbers are those of the CIS Docker Benchmark 1.6.

Waive a control with owner, reason and end, in the settings or on the service's line in the file:

```yaml
  # breakwater: ignore BW-LIM-001 owner=ops reason="migrating" until=2027-01-31
  temporal:
```
"""


def _kinds(row: Control) -> str:
    """Name the kinds that a control speaks of, in the usual order."""
    if row.kinds == frozenset(KINDS):
        return "all"
    missing = [kind for kind in KINDS if kind not in row.kinds]
    if len(missing) <= 2:
        return "all but " + ", ".join(missing)
    return ", ".join(kind for kind in KINDS if kind in row.kinds)


def _impact(row: Control) -> str:
    """Say what a control costs; data stores have a name of their own for it."""
    if row.impact == "recreate" and row.kinds & DATA_STORES:
        return "recreate (data stores: datastore_restart)"
    return row.impact


def _entry(row: Control) -> str:
    """Write the entry of one control."""
    lines = [f"### {row.id} {row.title}", "", row.why, ""]
    lines.append(f"- severity: {row.severity}; services: {_kinds(row)}")
    if row.action == "fix":
        lines.append(f"- fixes: {row.changes}; impact: {_impact(row)}")
    else:
        lines.append(f"- reports only: {row.report_only_because}")
    cis = f" (CIS Docker Benchmark {row.cis})" if row.cis else ""
    return "\n".join([*lines, f"- see <{row.link}>{cis}", ""])


def controls_page() -> str:
    """Return the page, as docs/controls.md holds it."""
    parts = [_HEAD]
    for group, title in _GROUPS.items():
        parts.append(f"## {title}\n")
        parts += [_entry(row) for row in CONTROLS if row.id.split("-")[1] == group]
    return "\n".join(parts)


if __name__ == "__main__":
    print(controls_page(), end="")
