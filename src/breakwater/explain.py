# SPDX-License-Identifier: GPL-3.0-or-later
"""``breakwater explain``: what a control is for, from the table of controls."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.controls import control, control_ids
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import DATA_STORES, KINDS
from breakwater import exits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Control

HELP = """\
usage: breakwater explain CONTROL...

Say what a control is for, what it changes and what that costs.

  CONTROL  id of a control, or the beginning of several

examples:
  breakwater explain BW-LIM-001
  breakwater explain BW-SEC

exit codes: 0 explained, 64 wrong usage
"""


def explain(argv: Sequence[str]) -> int:
    """Run the command.

    Raises:
        UsageError: there is no such control.
    """
    if any(word in ("-h", "--help") for word in argv):
        sys.stdout.write(HELP)
        return exits.CLEAN
    if not argv:
        raise exits.UsageError('name a control; "breakwater explain --help" tells more')
    found = [control(name) for word in argv for name in _named(word)]
    sys.stdout.write("\n".join(_text(one) for one in dict.fromkeys(found)))
    return exits.CLEAN


def _named(word: str) -> list[str]:
    """Return the controls that a word stands for.

    Raises:
        UsageError: there is none.
    """
    names = [name for name in control_ids() if name.startswith(word.upper())]
    if word and names:
        return names
    from difflib import get_close_matches

    close = get_close_matches(word.upper(), control_ids(), 1)
    meant = f"; did you mean {close[0]}?" if close else f"; they run from {control_ids()[0]} to {control_ids()[-1]}"
    raise exits.UsageError(f'no control "{word}"{meant}')


def _text(one: Control) -> str:
    """Write a control for people."""
    services = "all" if one.kinds == frozenset(KINDS) else ", ".join(kind for kind in KINDS if kind in one.kinds)
    rows = [("severity", one.severity), ("services", services)]
    if one.action == "fix":
        on_data = "; datastore restart on data stores" if one.impact == "recreate" and one.kinds & DATA_STORES else ""
        rows += [("changes", one.changes), ("impact", one.impact.replace("_", " ") + on_data)]
    else:
        rows += [("changes", f"nothing, it is only reported: {one.report_only_because}")]
    rows.append(("see", f"{one.link} (CIS Docker Benchmark {one.cis})" if one.cis else one.link))
    body = "\n".join(f"  {label + ':':<10}{value}" for label, value in rows)
    return f"{one.id} {one.title}\n  {one.why}\n{body}\n"
