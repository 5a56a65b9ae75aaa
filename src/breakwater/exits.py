# SPDX-License-Identifier: GPL-3.0-or-later
"""Exit codes of every command.

0 and 2 follow ``terraform plan -detailed-exitcode``; 64 is ``EX_USAGE`` of sysexits.h, because the 2 that Python's
argument parser uses for wrong usage would read as findings.
"""

from __future__ import annotations

CLEAN = 0
ERROR = 1
FINDINGS = 2
USAGE = 64
#: 128 + SIGINT and 128 + SIGPIPE, as a shell reports them.
INTERRUPTED = 130
BROKEN_PIPE = 141


class CommandError(Exception):
    """Something that ends the command: one line for people, exit code 1."""


class UsageError(Exception):
    """A command line that cannot be understood: one line for people, exit code 64."""
