# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands that run playbooks accept on their command line."""

from __future__ import annotations

from breakwater.arguments import Option, Options, help_text, read_options
from breakwater.exits import UsageError

DRIFT_FORMATS = ("text", "json", "junit", "sarif", "github", "markdown", "prometheus")

_ANSIBLE = {
    "--inventory": Option("INVENTORY", "-i: inventory file, folder or host list", repeat=True),
    "--limit": Option("PATTERN", "-l: only these hosts", repeat=True),
    "--extra-vars": Option("VARS", "-e: variables over the inventory's: key=value, JSON or @file", repeat=True),
    "--vault-id": Option("ID", "vault identity to use", repeat=True),
    "--vault-password-file": Option("FILE", "file with the vault's password"),
    "--become": Option("", "-b: work as another user (root) on the hosts"),
    "--become-user": Option("USER", "that user"),
    "--user": Option("USER", "-u: user to connect as"),
    "--private-key": Option("FILE", "key to connect with"),
    "--forks": Option("N", "-f: hosts that are worked on at the same time"),
}
_LAST = {
    "--verbose": Option("", "-v: show the command of ansible-playbook"),
    "--help": Option("", "print this text and exit"),
}
DRIFT = {
    **_ANSIBLE,
    "--timeout": Option("SECONDS", "end the check after this long"),
    "--format": Option("FORMAT", f"{', '.join(DRIFT_FORMATS)} (default: text)", DRIFT_FORMATS),
    "--report": Option("FORMAT=FILE", "(or --output) write a report there, too; may be repeated", repeat=True),
    "--report-only": Option("", "drift is no failure (exit code 0); an incomplete check still is"),
    "--allow-unchecked": Option("CONTROL", 'may stay unchecked: a control, "containers" or "tasks"', many=True),
    **_LAST,
}
_ON_TERMINAL = {
    "--ask-vault-pass": Option("", "ask for the vault's password"),
    "--ask-become-pass": Option("", "-K: ask for the password of --become"),
}
HARDEN = {
    **_ANSIBLE,
    **_ON_TERMINAL,
    "--check": Option("", "show what would be done, and do nothing"),
    "--diff": Option("", "show the changes of files while they are made"),
    "--yes": Option("", "do it without asking first; for CI"),
    **_LAST,
}
ROLLBACK = {**_ANSIBLE, **_ON_TERMINAL, "--check": HARDEN["--check"], "--diff": HARDEN["--diff"], **_LAST}
VERIFY = {**_ANSIBLE, **_ON_TERMINAL, **_LAST}
TABLES = {"drift": DRIFT, "harden": HARDEN, "rollback": ROLLBACK, "verify": VERIFY, "unlock": VERIFY}
SHORT = {
    "-i": "--inventory",
    "-l": "--limit",
    "-e": "--extra-vars",
    "-b": "--become",
    "-u": "--user",
    "-f": "--forks",
    "-K": "--ask-become-pass",
    "--output": "--report",
    "-v": "--verbose",
}


class FrontOptions(Options):
    """The options of a command that runs a playbook, as given."""

    def __init__(self, command: str) -> None:
        super().__init__()
        self.command = command
        self.inventory: list[str] = []
        self.limit: list[str] = []
        self.extra_vars: list[str] = []
        self.vault_id: list[str] = []
        self.vault_password_file = ""
        self.become = False
        self.become_user = ""
        self.user = ""
        self.private_key = ""
        self.forks = ""
        self.timeout = ""
        self.report: list[str] = []
        self.report_only = False
        self.allow_unchecked: list[str] = []
        self.verbose = False
        self.ask_vault_pass = False
        self.ask_become_pass = False
        self.check = False
        self.diff = False
        self.yes = False

    def for_ansible(self) -> list[str]:
        """Return the options that ansible-playbook gets.

        Raises:
            UsageError: one of them cannot be right.
        """
        if self.forks:
            self.seconds("--forks", self.forks)
        arguments: list[str] = []
        for name, option in _ANSIBLE.items():
            value = getattr(self, name[2:].replace("-", "_"))
            if not option.metavar:
                arguments += [name] if value else []
            elif option.repeat and name != "--limit":
                arguments += [part for one in value for part in (name, one)]
            elif value:
                arguments += [name, ":".join(value) if option.repeat else value]
        arguments += [name for name in _ON_TERMINAL if getattr(self, name[2:].replace("-", "_"))]
        return arguments

    def seconds(self, name: str, value: str) -> int:
        """Return a whole number that an option gives, 0 where it is not given.

        Raises:
            UsageError: it is none, or not above 0.
        """
        if not value:
            return 0
        if not value.isascii() or not value.isdigit() or int(value) == 0:
            raise UsageError(f'{name} is "{value}"; write a whole number above 0')
        return int(value)

    def reports(self) -> list[tuple[str, str]]:
        """Return the reports to write beside that on standard output: format and file.

        Raises:
            UsageError: one of them names no format or no file.
        """
        wanted: list[tuple[str, str]] = []
        for text in self.report:
            name, _, file = text.partition("=")
            if name not in DRIFT_FORMATS or not file:
                raise UsageError(f'--report is "{text}"; write FORMAT=FILE with one of {", ".join(DRIFT_FORMATS)}')
            wanted.append((name, file))
        return wanted


def read_front_options(command: str, argv: list[str]) -> FrontOptions:
    """Read the command line of a command that runs a playbook.

    Raises:
        UsageError: it cannot be understood.
    """
    options = FrontOptions(command)
    read_options(command, TABLES[command], argv, options, SHORT)
    if not options.help:
        options.for_ansible()
        options.reports()
        options.seconds("--timeout", options.timeout)
        if command == "drift" and any(name.endswith("@prompt") for name in options.vault_id):
            raise UsageError("drift asks nothing: give the vault's password by --vault-id NAME@FILE")
        if not options.inventory:
            raise UsageError(f'name the inventory: breakwater {command} -i INVENTORY; "breakwater {command} --help"')
    return options


_DRIFT = """\
examples:
  breakwater drift -i inventories/production
  breakwater drift -i inventories/production --limit stack-1 --report json=drift.json --report junit=drift.xml
  breakwater drift -i inventories/production --report-only --format markdown

Runs the playbook breakwater.stack.harden in check mode, so that what is compared is what hardening would do: files with
the controls, files with what the last run wrote, and running containers with the files. Nothing on the hosts changes.
What could not be compared is never called in sync.

exit codes: 0 in sync, 2 drift, 1 error or not fully checked, 64 wrong usage, 130 interrupted
"""


_PLAYBOOKS = """\
examples:
  breakwater harden -i inventories/production                     show the plan, ask, then do it
  breakwater harden -i inventories/production --yes --limit stack-1
  breakwater rollback -i inventories/production --limit stack-1   bring the last generation back
  breakwater verify -i inventories/production                     prove that what runs is what the files say
  breakwater unlock -i inventories/production                     break the lock of a run that cannot end any more

Each runs the playbook of that name, breakwater.stack.NAME; -v shows the command.

exit codes: 0 done, 1 error, 64 wrong usage, 130 interrupted
"""
_DESCRIPTIONS = {
    "harden": "Harden the stacks of an inventory: limits, health checks and the other controls.",
    "rollback": "Bring the stacks of an inventory back to what they were before the last run.",
    "verify": "Prove that the containers of the stacks run as their files say.",
    "unlock": "Break the locks of runs that cannot end any more.",
    "drift": "Show what differs on the hosts from what hardening would make of them.",
}


def help_of(command: str) -> str:
    """Return the help of a command."""
    return help_text(command, _DESCRIPTIONS[command], TABLES[command], _DRIFT if command == "drift" else _PLAYBOOKS)
