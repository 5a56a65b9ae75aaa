# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands accept on their command line."""

from __future__ import annotations

import argparse

from breakwater.exits import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit")
SEVERITIES = ("info", "low", "medium", "high", "critical")

_SCAN_TEXT = """\
examples:
  breakwater scan docker-compose.yml               one file
  breakwater scan .                                every Compose file below this folder
  breakwater scan a.yml b.yml                      two projects, each judged alone
  cat docker-compose.yml | breakwater scan - --stdin-filename docker-compose.yml
  breakwater scan . --severity high --ignore BW-IMG
  breakwater scan . --format sarif --output breakwater.sarif

Files: in a folder, the files that Compose loads together (compose.yaml and compose.override.yaml, or those of
COMPOSE_FILE in .env) are one project; each other Compose file, and each file that is named, is a project of its own.

Waivers: "# breakwater: ignore BW-LIM-001 owner=ops reason=\\"migrating\\" until=2027-01-31" on a service's line or the
line above it, or in breakwater.yml. An expired waiver no longer covers its finding.

exit codes: 0 no findings, 2 findings, 1 a file could not be judged, 64 wrong usage
"""

_FIX_TEXT = """\
examples:
  breakwater fix docker-compose.yml                                    show the diff and the reasons
  breakwater fix docker-compose.yml --host-memory 24g --host-cpus 2    for the host that the stack runs on
  breakwater fix docker-compose.yml --select BW-LIM --write            write the limits only

Without --host-memory and --host-cpus the limits are sized for this machine; which facts were used is always said.
--write replaces each file atomically and keeps its mode and owner; a symbolic link is followed, and that is said.
Nothing is written when any file cannot be judged. What is printed masks secrets; what is written does not.

exit codes: 0 nothing to change, or written; 2 changes pending, 1 error, 64 wrong usage
"""


class Options:
    """The options of a command, typed; see the help for what each one means."""

    files: list[str]
    select: list[str]
    ignore: list[str]
    severity: str | None
    kind: list[str]
    config: str | None
    stdin_filename: str
    format: str
    output: str | None
    host_memory: str | None
    host_cpus: str | None
    write: bool


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report wrong usage as the command's own exit code instead of 2, which means findings."""
        raise UsageError(f'{message}; "{self.prog} --help" shows the options')


def _parser(name: str, description: str, text: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"breakwater {name}",
        description=description,
        epilog=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help='Compose file, folder, or "-" for standard input')
    add(
        "--select",
        action="append",
        default=[],
        metavar="ID",
        help="only these controls: ids or their beginnings, comma-separated",
    )
    add("--ignore", action="append", default=[], metavar="ID", help="leave these controls out")
    add(
        "--kind",
        action="append",
        default=[],
        metavar="SERVICE=KIND",
        help="kind of a service whose image does not tell it",
    )
    add(
        "--config",
        metavar="FILE",
        help="settings; otherwise breakwater.yml beside the file or at the repository's root",
    )
    add("--stdin-filename", default="", metavar="NAME", help='name that "-" goes by in the output')
    add("--host-memory", metavar="SIZE", help="memory of the host that the stack runs on (24g)")
    add("--host-cpus", metavar="N", help="cores of the host that the stack runs on")
    return parser


def _parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> Options:
    options = parser.parse_args(argv, Options())
    for name in ("select", "ignore", "kind"):
        given: list[str] = getattr(options, name)
        setattr(options, name, [part.strip() for value in given for part in value.split(",") if part.strip()])
    for pair in options.kind:
        service, equals, kind = pair.partition("=")
        if not (service and equals and kind):
            parser.error(f"--kind {pair}: write SERVICE=KIND")
    if options.files.count("-") > 1:
        parser.error('"-" can be given once')
    return options


def scan_options(argv: Sequence[str]) -> Options:
    """Read the command line of ``breakwater scan``.

    Raises:
        UsageError: it cannot be understood.
    """
    parser = _parser("scan", "Show where Compose files do not follow the controls.", _SCAN_TEXT)
    add = parser.add_argument
    add("--severity", choices=SEVERITIES, metavar="LEVEL", help=f"least severity that counts: {', '.join(SEVERITIES)}")
    add(
        "--format",
        choices=FORMATS,
        default="text",
        metavar="FORMAT",
        help=f"one of {', '.join(FORMATS)} (default: text)",
    )
    add("--output", metavar="FILE", help="write the result there instead of standard output")
    return _parse(parser, argv)


def fix_options(argv: Sequence[str]) -> Options:
    """Read the command line of ``breakwater fix``.

    Raises:
        UsageError: it cannot be understood.
    """
    parser = _parser("fix", "Show, or write, the edits that make Compose files follow the controls.", _FIX_TEXT)
    parser.add_argument("--write", action="store_true", help="write the files instead of showing what would change")
    options = _parse(parser, argv)
    options.severity = None
    if options.write and "-" in options.files:
        parser.error("--write cannot write standard input; name the file")
    return options
