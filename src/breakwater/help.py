# SPDX-License-Identifier: GPL-3.0-or-later
"""The help texts of the commands."""

from __future__ import annotations

from breakwater.arguments import CONNECTIONS, FIX, SCAN, TEMPORAL_LINT, help_text

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

_TEMPORAL_LINT = """\
examples:
  breakwater temporal lint dynamicconfig/production.yaml
  breakwater temporal lint dynamicconfig/*.yaml --server-version 1.30.4 --format github
  breakwater temporal lint production.yaml --severity info --ignore TL021

The server itself starts with misspelt keys, values of the wrong type and constraints that never match, and only logs a
warning. The keys of Temporal 1.25 to 1.32 are known; the patch release makes no difference.

exit codes: 0 no findings, 2 findings, 1 a file could not be judged, 64 wrong usage
"""


def temporal_lint_help() -> str:
    """The help of ``breakwater temporal lint``."""
    description = "Show what the Temporal server would refuse, pass over or misread in its dynamic configuration."
    files = "dynamic configuration file, or - for standard input"
    return help_text("temporal lint", description, TEMPORAL_LINT, _TEMPORAL_LINT, files)


_CONNECTIONS = """\
examples:
  breakwater connections --project-dir /opt/generic-corp
  breakwater connections --service app-db --format json
  breakwater connections --role monitoring        a role with pg_monitor will do

Read-only: one query over the socket in the container of PostgreSQL, through `docker exec`, so that no password is
needed and reserved slots help when all others are used. When even these are used up, the titles of the server's
processes are read. Queries are shown without literals.

exit codes: 0 ok, 2 warning or critical, 1 error, 64 wrong usage
"""


def scan_help() -> str:
    """The help of ``breakwater scan``."""
    return help_text("scan", "Show where Compose files do not follow the controls.", SCAN, _SCAN)


def fix_help() -> str:
    """The help of ``breakwater fix``."""
    return help_text("fix", "Show, or write, the edits that make Compose files follow the controls.", FIX, _FIX)


def connections_help() -> str:
    """The help of ``breakwater connections``."""
    description = "Show who is connected to the PostgreSQL of a stack on this machine, and whether that is well."
    return help_text("connections", description, CONNECTIONS, _CONNECTIONS)


TEXTS = {"scan": scan_help, "fix": fix_help, "connections": connections_help, "temporal lint": temporal_lint_help}
