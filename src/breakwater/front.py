# SPDX-License-Identifier: GPL-3.0-or-later
"""``breakwater harden``, ``rollback``, ``verify`` and ``unlock``: the collection's playbooks, run as they are."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from types import FrameType
from typing import TYPE_CHECKING

from breakwater import exits
from breakwater.drift.run import search_path, utf_8_locale
from breakwater.mask import masked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from breakwater.front_arguments import FrontOptions

#: What ansible-playbook ends with when a person interrupts it (https://github.com/ansible/ansible, cli/__init__.py).
_ANSIBLE_INTERRUPTED = 99
_CHECK = ("--check", "--diff")


def command(options: FrontOptions) -> int:
    """Run the command; see ``breakwater harden --help``.

    Raises:
        UsageError: harden has nobody to ask.
    """
    if options.command == "harden" and not (options.check or options.yes):
        return _ask_and_harden(options)
    more = [name for name, given in (("--check", options.check), ("--diff", options.diff)) if given]
    return play(options, more)


def _ask_and_harden(options: FrontOptions) -> int:
    """Show the plan, ask, and harden."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise exits.UsageError("harden asks before it changes anything, and nobody is there: add --yes, or --check")
    code = play(options, _CHECK)
    if code != exits.CLEAN:
        return code
    sys.stdout.write("breakwater: this is the plan; carry it out on the hosts? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        sys.stdout.write("breakwater: nothing was changed\n")
        return exits.CLEAN
    return play(options, ["--diff"] if options.diff else [])


def command_line(options: FrontOptions, more: Sequence[str]) -> list[str]:
    """Return the command that runs a playbook.

    Args:
        options: the options as given.
        more: further options of ansible-playbook.
    """
    return ["ansible-playbook", *options.for_ansible(), *more, f"breakwater.stack.{options.command}"]


def play(options: FrontOptions, more: Sequence[str]) -> int:
    """Run a playbook to its end, whatever signals come: Ansible gets them too, and brings back what it has begun.

    Raises:
        CommandError: Ansible cannot be started.
    """
    words = command_line(options, more)
    if options.verbose:
        sys.stderr.write(f"breakwater: {masked(shlex.join(words))}\n")
        sys.stderr.flush()
    sys.stdout.flush()
    environment = os.environ | {"PATH": search_path(), **utf_8_locale()}
    try:
        process = subprocess.Popen(words, env=environment)
    except FileNotFoundError:
        raise exits.CommandError("ansible-playbook is not found; install ansible-core beside breakwater") from None

    def pass_on(number: int, _frame: FrameType | None) -> None:
        # A terminal sends its interrupt to the whole group, so that Ansible has it already.
        if number != signal.SIGINT:
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if code == _ANSIBLE_INTERRUPTED or code < 0:
        return exits.INTERRUPTED
    return exits.CLEAN if code == 0 else exits.ERROR
