# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``breakwater`` command: finds the sub-command, runs it, turns what happens into an exit code.

Modules are imported when a command needs them: start-up is most of the time that a small file costs.
"""

from __future__ import annotations

import gc
import os
import sys

from breakwater import exits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

HELP = """\
usage: breakwater COMMAND [OPTION]... [FILE]...

Hardens Temporal stacks that run on Docker Compose.

commands:
  scan         show where Compose files do not follow the controls
  fix          show, or write, the edits that make them follow the controls
  connections  show who is connected to the PostgreSQL of a stack on this machine
  harden       harden the stacks of an inventory, after showing the plan
  rollback     bring them back to what they were before the last run
  verify       prove that their containers run as the files say
  unlock       break the locks of runs that cannot end any more
  drift        show what differs on the hosts from what hardening would make of them
  explain      say what a control is for, what it changes and what that costs
  temporal lint
               show what the Temporal server would misread in its dynamic configuration

options:
  --version   print the version and exit
  -h, --help  print this text and exit

examples:
  breakwater scan docker-compose.yml
  breakwater scan . --format sarif --output breakwater.sarif
  breakwater fix docker-compose.yml --host-memory 24g --host-cpus 2
  breakwater fix docker-compose.yml --write
  breakwater connections --project-dir /opt/generic-corp

exit codes: 0 clean, 1 error, 2 findings or changes pending, 64 wrong usage, 130 interrupted
"breakwater COMMAND --help" tells more about a command.
"""

COMMANDS = ("scan", "fix", "connections", "drift", "harden", "rollback", "verify", "unlock", "explain", "temporal")
#: Commands that run a playbook of the collection on the hosts of an inventory.
ON_HOSTS = ("drift", "harden", "rollback", "verify", "unlock")


def run(argv: Sequence[str]) -> int:
    """Run the command line.

    Args:
        argv: arguments without the program's name.

    Returns:
        The exit code, one of :mod:`breakwater.exits`.
    """
    try:
        code = _dispatch(list(argv))
        sys.stdout.flush()
    except exits.UsageError as error:
        _complain(error)
        return exits.USAGE
    except exits.CommandError as error:
        _complain(error)
        return exits.ERROR
    except BrokenPipeError:
        _forget_output()
        return exits.BROKEN_PIPE
    except KeyboardInterrupt:
        sys.stderr.write("breakwater: interrupted\n")
        return exits.INTERRUPTED
    except OSError as error:
        _forget_output()
        _complain(f"{error.filename or 'standard output'}: {error.strerror}")
        return exits.ERROR
    except MemoryError:
        sys.stderr.write("breakwater: not enough memory; scan fewer files in one call, or raise the limit\n")
        return exits.ERROR
    return code


def _complain(error: object) -> None:
    """Write what is wrong in one line, whatever names it quotes."""
    from ansible_collections.breakwater.stack.plugins.module_utils._printable import printable

    sys.stderr.write(f"breakwater: {printable(str(error))}\n")


def _dispatch(arguments: list[str]) -> int:
    """Run the sub-command that the first argument names."""
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help", "help"):
        sys.stdout.write(HELP)
        return exits.CLEAN
    if first == "--version":
        from breakwater import version

        sys.stdout.write(f"breakwater {version()}\n")
        return exits.CLEAN
    if first == "explain":
        from breakwater.explain import explain

        return explain(arguments[1:])
    if first in ON_HOSTS:
        return _run_on_hosts(first, arguments[1:])
    if first == "temporal":
        return _temporal(arguments[1:])
    if first in COMMANDS:
        return _run(first, arguments[1:])
    raise exits.UsageError(_unknown(first))


def _run(name: str, argv: list[str]) -> int:
    """Run one command, or print its help."""
    from breakwater.arguments import TABLES, read_options

    options = read_options(name, TABLES[name], argv)
    if options.help:
        from breakwater import help as texts

        sys.stdout.write(texts.TEXTS[name]())
        return exits.CLEAN
    module = f"breakwater.{name.partition(' ')[0]}"
    __import__(module)  # importlib.import_module would load warnings and more
    code: int = sys.modules[module].command(options)
    return code


def _run_on_hosts(name: str, argv: list[str]) -> int:
    """Run a command that runs a playbook, or print its help."""
    from breakwater.front_arguments import help_of, read_front_options

    options = read_front_options(name, argv)
    if options.help:
        sys.stdout.write(help_of(name))
        return exits.CLEAN
    module = "breakwater.drift" if name == "drift" else "breakwater.front"
    __import__(module)
    code: int = sys.modules[module].command(options)
    return code


def _temporal(argv: list[str]) -> int:
    """Run a command about Temporal's own files."""
    if argv[:1] in (["-h"], ["--help"]):
        argv = ["lint", "--help"]
    if argv[:1] != ["lint"]:
        raise exits.UsageError(
            '"breakwater temporal" has one command, lint; "breakwater temporal lint --help" tells more'
        )
    return _run("temporal lint", argv[1:])


def _unknown(name: str) -> str:
    """Say what is wrong with a sub-command, and which one may have been meant."""
    if not name:
        return 'no command given; "breakwater --help" lists them'
    if name.startswith("-"):
        return f'{name} must follow a command ("breakwater scan {name}"); "breakwater --help" lists them'
    from difflib import get_close_matches

    close = get_close_matches(name, COMMANDS, 1)
    meant = f'; did you mean "{close[0]}"?' if close else f"; commands are {', '.join(COMMANDS)}"
    return f'no command "{name}"{meant}'


def _forget_output() -> None:
    """Let standard output go nowhere, so that the interpreter's last flush does not complain."""
    from contextlib import suppress

    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_streams() -> None:
    """Make the standard streams usable where a caller has closed them, and UTF-8 whatever the locale.

    Reports, and diffs of files that are UTF-8, would be wrong in another encoding. A stream that is not there is opened
    on nothing: else the next file that is opened would take its number, and what is printed would end up in it.
    """
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), "r+", encoding="utf-8"))
        else:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def main() -> NoReturn:
    """Run the process: as :func:`run`, and end without tearing the interpreter down.

    Freeing every object one by one takes 2 ms after the last output; the system frees them at once.
    """
    from breakwater.lean_yaml import install

    gc.disable()  # it finds nothing while modules are loaded and one file is judged; many files turn it on
    install()
    _open_streams()
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or exits.BROKEN_PIPE
    os._exit(code)
