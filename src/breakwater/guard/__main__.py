# SPDX-License-Identifier: Apache-2.0
"""``python -m breakwater.guard``: checks that need neither Temporal nor the rest of Breakwater."""

from __future__ import annotations

import os
import sys

from breakwater.guard.activities import silent_activities
from breakwater.guard.errors import PolicyError
from breakwater.guard.loading import load_file

USAGE = """\
usage: python -m breakwater.guard policy FILE...        check policy files
       python -m breakwater.guard heartbeats FILE...    list activities without heartbeats in Python files

exit codes: 0 nothing to say, 2 activities without heartbeats, 1 a file cannot be used, 64 wrong usage
"""


def main(arguments: list[str]) -> int:
    """Run one command.

    Args:
        arguments: without the program's name.

    Returns:
        The exit code.
    """
    if arguments in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    checks = {"policy": _policy, "heartbeats": _heartbeats}
    if len(arguments) < 2 or arguments[0] not in checks:
        sys.stderr.write(USAGE)
        return 64
    codes = {checks[arguments[0]](name) for name in arguments[1:]}
    return 1 if 1 in codes else max(codes)


def run(arguments: list[str]) -> int:
    """Run one command as a process does: whatever ends it is a code and at most a line.

    Args:
        arguments: without the program's name.

    Returns:
        The exit code; 128 and the number of the signal where the reader of the output or a person ends it.
    """
    try:
        code = main(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        # What is left in the buffer has nowhere to go; the interpreter would complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 141
        sys.stderr.write(f"breakwater.guard: standard output: {error.strerror}\n")
        return 1
    return code


def _policy(name: str) -> int:
    try:
        load_file(name)
    except PolicyError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _heartbeats(name: str) -> int:
    try:
        with open(name, encoding="utf-8") as file:
            silent = silent_activities(file.read())
    except OSError as error:
        sys.stderr.write(f"{name}: {error.strerror}; name a readable Python file\n")
        return 1
    except SyntaxError as error:
        sys.stderr.write(f"{name}:{error.lineno or 1}: {error.msg}; name a Python file\n")
        return 1
    except (ValueError, RecursionError):
        sys.stderr.write(f"{name}: not Python in UTF-8; name a Python file\n")
        return 1
    for activity in silent:
        loops = " and has a loop" if activity.loops else ""
        sys.stdout.write(f"{name}:{activity.line}: {activity.name} gives no heartbeats{loops}\n")
    return 2 if silent else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
