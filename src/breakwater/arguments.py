# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands accept on their command line, as a table.

The table is read by twenty lines of our own: the standard library's parser costs 4 ms before it has seen an
argument, a tenth of what a small file may cost in all.
"""

from __future__ import annotations

from breakwater.exits import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit")
SEVERITIES = ("info", "low", "medium", "high", "critical")


class Option:
    """One option: its word for the value (empty for a switch), its help, what it accepts.

    The values of ``many`` come comma-separated; those of ``repeat`` come one by one, and stay whole.
    """

    __slots__ = ("choices", "help", "many", "metavar", "repeat")

    def __init__(
        self, metavar: str, text: str, choices: tuple[str, ...] = (), many: bool = False, repeat: bool = False
    ) -> None:
        self.metavar = metavar
        self.help = text
        self.choices = choices
        self.many = many
        self.repeat = repeat


class Options:
    """The options of a command as given; see the help for what each one means."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.select: list[str] = []
        self.ignore: list[str] = []
        self.kind: list[str] = []
        self.severity: str | None = None
        self.config: str | None = None
        self.stdin_filename = ""
        self.host_memory: str | None = None
        self.host_cpus: str | None = None
        self.format = "text"
        self.output: str | None = None
        self.server_version = ""
        self.write = False
        self.project_dir = "."
        self.file: list[str] = []
        self.project_name: str | None = None
        self.service = ""
        self.role = ""
        self.database = ""
        self.help = False


_COMMON = {
    "--select": Option("ID", "only these controls: ids or their beginnings, comma-separated", many=True),
    "--ignore": Option("ID", "leave these controls out", many=True),
    "--kind": Option("SERVICE=KIND", "kind of a service whose image does not tell it", many=True),
    "--config": Option("FILE", "settings; else breakwater.yml beside the file or at the repository's root"),
    "--stdin-filename": Option("NAME", 'name that "-" goes by in the output'),
    "--host-memory": Option("SIZE", "memory of the host that the stack runs on (24g)"),
    "--host-cpus": Option("N", "cores of the host that the stack runs on"),
}
_HELP = {"--help": Option("", "print this text and exit")}
SCAN = {
    **_COMMON,
    "--severity": Option("LEVEL", f"least severity that counts: {', '.join(SEVERITIES)}", SEVERITIES),
    "--format": Option("FORMAT", f"{', '.join(FORMATS)} (default: text)", FORMATS),
    "--output": Option("FILE", "write the result there instead of standard output"),
    **_HELP,
}
FIX = {**_COMMON, "--write": Option("", "write the files instead of showing what would change"), **_HELP}
CONNECTIONS = {
    "--project-dir": Option("DIR", "folder of the Compose project (default: this one)"),
    "--file": Option("FILE", "Compose files, relative to it, where Compose's own rules do not find them", many=True),
    "--project-name": Option("NAME", "name of the project, where Compose's own rules do not tell it"),
    "--service": Option("NAME", "the PostgreSQL service, where there are several"),
    "--role": Option("NAME", "role to connect as (default: POSTGRES_USER of the container)"),
    "--database": Option("NAME", "database to connect to (default: postgres)"),
    "--format": Option("FORMAT", "text or json (default: text)", ("text", "json")),
    "--output": Option("FILE", "write the result there instead of standard output"),
    **_HELP,
}
TEMPORAL_LINT = {
    "--server-version": Option("VERSION", "version of the server that reads the file (default: 1.31.2)"),
    "--ignore": Option("ID", "leave these rules out: ids or their beginnings, comma-separated", many=True),
    "--severity": Option("LEVEL", f"least severity that counts: {', '.join(SEVERITIES)} (default: low)", SEVERITIES),
    "--stdin-filename": _COMMON["--stdin-filename"],
    "--format": SCAN["--format"],
    "--output": SCAN["--output"],
    **_HELP,
}
TABLES = {"scan": SCAN, "fix": FIX, "connections": CONNECTIONS, "temporal lint": TEMPORAL_LINT}
#: Commands that work on files which are named.
_ON_FILES = ("scan", "fix", "temporal lint")


def read_options(
    command: str,
    table: dict[str, Option],
    argv: Sequence[str],
    options: Options | None = None,
    short: dict[str, str] | None = None,
) -> Options:
    """Read the command line of a command.

    Args:
        command: the command's name, for messages.
        table: what it accepts.
        argv: the arguments after the command.
        options: where to keep them; plain :class:`Options` where nothing is given.
        short: options by their one-letter names.

    Raises:
        UsageError: they cannot be understood.
    """
    options = options or Options()
    left = list(reversed(argv))
    while left:
        argument = left.pop()
        if argument == "--":
            options.files.extend(reversed(left))
            break
        if argument == "-" or not argument.startswith("-"):
            options.files.append(argument)
            continue
        name, equals, value = argument.partition("=")
        name = "--help" if name == "-h" else (short or {}).get(name, name)
        option = table.get(name)
        if option is None:
            raise _usage(command, _unknown(name, table))
        if option.metavar and not equals:
            if not left:
                raise _usage(command, f"{name} needs a value: {name} {option.metavar}")
            value = left.pop()
        elif equals and not option.metavar:
            raise _usage(command, f"{name} takes no value")
        _set(command, options, name, option, value)
    if not options.help:
        _check(command, options)
    return options


def _set(command: str, options: Options, name: str, option: Option, value: str) -> None:
    """Store one option."""
    attribute = name[2:].replace("-", "_")
    if option.choices and value not in option.choices:
        raise _usage(command, f'{name} is "{value}"; it must be one of {", ".join(option.choices)}')
    if option.repeat:
        getattr(options, attribute).append(value)
    elif option.many:
        getattr(options, attribute).extend(part.strip() for part in value.split(",") if part.strip())
    else:
        setattr(options, attribute, value if option.metavar else True)


def _check(command: str, options: Options) -> None:
    """Refuse what no single option shows to be wrong."""
    if command not in _ON_FILES and options.files:
        raise _usage(command, f'it takes no FILE ("{options.files[0]}")')
    if command in _ON_FILES and not options.files:
        raise _usage(command, "name at least one FILE")
    if options.files.count("-") > 1:
        raise _usage(command, '"-" can be given once')
    if options.write and "-" in options.files:
        raise _usage(command, "--write cannot write standard input; name the file")
    for pair in options.kind:
        service, _, kind = pair.partition("=")
        if not (service and kind):
            raise _usage(command, f'--kind is "{pair}"; write --kind SERVICE=KIND')


def _usage(command: str, message: str) -> UsageError:
    return UsageError(f'{message}; "breakwater {command} --help" shows the options')


def _unknown(name: str, table: dict[str, Option]) -> str:
    """Say that an option does not exist, and which one may have been meant."""
    from difflib import get_close_matches

    close = get_close_matches(name, table, 1)
    return f"no option {name}" + (f"; did you mean {close[0]}?" if close else "")


def help_text(
    command: str,
    description: str,
    table: dict[str, Option],
    text: str,
    files: str = "Compose file, folder, or - for standard input",
) -> str:
    """Write the help of a command: usage, options from the table, then text."""
    rows = [(f"{name} {option.metavar}".rstrip(), option.help) for name, option in table.items()]
    width = max(len(left) for left, _ in rows) + 2
    lines = [f"  {left:<{width}}{right}" for left, right in rows]
    named = ["", f"  {'FILE':<{width}}{files}"] if command in _ON_FILES else []
    usage = f"usage: breakwater {command} [OPTION]..." + (" FILE..." if named else "")
    head = [usage, "", description, *named, "", "options:"]
    return "\n".join([*head, *lines, "", text])
