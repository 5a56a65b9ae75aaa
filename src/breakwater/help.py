# SPDX-License-Identifier: GPL-3.0-or-later
"""The help texts of the commands."""

from __future__ import annotations

from breakwater.arguments import FIX, SCAN, help_text

_SCAN = """\
examples:
  breakwater scan docker-compose.yml               one file
  breakwater scan .                                every Compose file below this folder
  breakwater scan a.yml b.yml                      two projects, each judged alone
  cat docker-compose.yml | breakwater scan - --stdin-filename docker-compose.yml
  breakwater scan . --severity high --ignore BW-SEC
  breakwater scan . --format sarif --output breakwater.sarif

files:
  In a folder, the files that Compose loads together (compose.yaml and compose.override.yaml, or those of
  COMPOSE_FILE in .env) are one project. Each other Compose file, and each file that is named, is a project of
  its own. Variables come from .env beside the file, never from the environment, so that a result is the same
  everywhere.

waivers:
  # breakwater: ignore BW-LIM-001 owner=ops reason="migrating" until=2027-01-31
  on the line of a service or above it, or in breakwater.yml. An expired waiver no longer covers its finding.

exit codes: 0 no findings, 2 findings, 1 a file could not be judged, 64 wrong usage
"""

_FIX = """\
examples:
  breakwater fix docker-compose.yml                                    show the diff and the reasons
  breakwater fix docker-compose.yml --host-memory 24g --host-cpus 2    for the host that the stack runs on
  breakwater fix docker-compose.yml --select BW-LIM --write            write the limits only

Without --host-memory and --host-cpus the limits are sized for this machine; which facts were used is always said.
--write replaces each file atomically and keeps its mode and owner; a symbolic link is followed, and that is said.
Nothing is written when any file cannot be judged. What is printed masks secrets; what is written does not.

exit codes: 0 nothing to change, or written; 2 changes pending; 1 error; 64 wrong usage
"""


def scan_help() -> str:
    """The help of ``breakwater scan``."""
    return help_text("scan", "Show where Compose files do not follow the controls.", SCAN, _SCAN)


def fix_help() -> str:
    """The help of ``breakwater fix``."""
    return help_text("fix", "Show, or write, the edits that make Compose files follow the controls.", FIX, _FIX)
