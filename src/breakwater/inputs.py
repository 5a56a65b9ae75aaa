# SPDX-License-Identifier: GPL-3.0-or-later
"""From the arguments FILE, FOLDER and - to the projects that are judged.

A file that is named is a project of its own. In a folder the files that Compose itself would load together (base and
override, or those of ``COMPOSE_FILE`` in ``.env``) are one project, and every other Compose file is one of its own.
"""

from __future__ import annotations

import os
import sys

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import MAX_BYTES, decode
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

#: Folders that hold other people's files.
SKIPPED = frozenset({"node_modules", "vendor", "site-packages", "__pycache__"})

STANDARD_INPUT = "-"


class Group:
    """Files that are judged together, as one Compose project.

    Attributes:
        names: the files as shown to people, base first.
        paths: where they are read; "-" is standard input.
        folder: where ``.env`` and relative paths are looked up.
    """

    __slots__ = ("folder", "names", "paths")

    def __init__(self, paths: list[str], names: list[str] | None = None) -> None:
        self.paths = paths
        self.names = names or paths
        self.folder = os.path.dirname(self.names[0]) or "."


def collect(arguments: list[str], stdin_filename: str = "") -> tuple[list[Group], list[ComposeError]]:
    """Turn arguments into groups.

    Args:
        arguments: files, folders and "-".
        stdin_filename: the name that standard input goes by.

    Returns:
        The groups in the order of the arguments, and an error for each argument that leads to no file.
    """
    groups: list[Group] = []
    errors: list[ComposeError] = []
    seen: set[str] = set()
    for argument in arguments:
        if argument == STANDARD_INPUT:
            groups.append(Group([STANDARD_INPUT], [stdin_filename or "<stdin>"]))
        elif os.path.isdir(argument):
            found = list(_groups_below(argument, errors))
            if not found:
                errors.append(
                    ComposeError(argument, None, "no Compose file in this folder", "name the file, or another folder")
                )
            groups.extend(group for group in found if _new(group, seen))
        else:
            group = Group([argument])
            if _new(group, seen):
                groups.append(group)
    return groups, errors


def _new(group: Group, seen: set[str]) -> bool:
    """Say whether a group comes up for the first time, so that ``scan . docker-compose.yml`` judges it once."""
    key = "\0".join(os.path.abspath(path) for path in group.paths)
    if key in seen:
        return False
    seen.add(key)
    return True


def _groups_below(folder: str, errors: list[ComposeError]) -> Iterator[Group]:
    """Yield the projects of a folder and of those below it, in the order of their names."""

    def unreadable(error: OSError) -> None:
        name = error.filename or folder
        errors.append(ComposeError(str(name), None, f"cannot be read: {error.strerror}", "check the permissions"))

    for here, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED)
        pattern = _compose_name()
        names = sorted(name for name in files if pattern.fullmatch(name))
        if not names:
            continue
        place = "" if here == "." else here
        together = _loaded_together(here, names)
        if together:
            yield Group([os.path.join(place, name) for name in together])
        for name in names:
            if name not in together:
                yield Group([os.path.join(place, name)])


def _compose_name() -> re.Pattern[str]:
    """Match the names by which people call Compose files."""
    import re

    return re.compile(r"(docker-)?compose([.\-_].+)?\.ya?ml")


def _loaded_together(folder: str, names: list[str]) -> list[str]:
    """Name the files that Compose would load when it is called in a folder without ``-f``."""
    from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import (
        configured_files,
        default_files,
    )

    try:
        stated = configured_files(read_env(folder))
    except ComposeError:
        stated = None  # the broken .env is reported when the project is judged
    listed = [os.path.normpath(name) for name in stated or ()]
    if listed and all(name in names for name in listed):
        return listed
    return default_files(names)


def read_env(folder: str) -> dict[str, str]:
    """Read the ``.env`` file beside a Compose file, as Compose does to substitute variables.

    Raises:
        ComposeError: the file is there and cannot be used.
    """
    path = os.path.join("" if folder == "." else folder, ".env")
    if not os.path.isfile(path):
        return {}
    from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.interpolate import EnvFileError, parse_env

    try:
        return parse_env(decode(read_bytes(path), path))
    except EnvFileError as error:
        raise ComposeError(path, error.line, str(error), "correct the line") from None


def read_text(path: str, name: str) -> str:
    """Read a file, or standard input for "-", as text.

    Raises:
        ComposeError: missing, unreadable, not a regular file, too large, not UTF-8.
    """
    return decode(_read_stdin(name) if path == STANDARD_INPUT else read_bytes(path, name), name)


def _read_stdin(name: str) -> bytes:
    """Read standard input up to the size that a Compose file may have."""
    raw = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise _too_large(name, f"more than {MAX_BYTES} bytes")
    return raw


def read_bytes(path: str, name: str = "") -> bytes:
    """Read a regular file without ever waiting for a writer, and without reading what is too large to be judged.

    Raises:
        ComposeError: missing, unreadable, not a regular file, too large.
    """
    from stat import S_ISREG

    name = name or path
    try:
        # Without O_NONBLOCK the open of a FIFO waits until somebody writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None
    try:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            hint = 'name a file, or "-" for standard input'
            raise ComposeError(name, None, f"is {_kind(status.st_mode)}, not a file", hint)
        if status.st_size > MAX_BYTES:
            raise _too_large(name, f"{status.st_size} bytes, more than {MAX_BYTES}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(name, error) from None
    finally:
        os.close(descriptor)


def _unreadable(name: str, error: Exception) -> ComposeError:
    """Say why a file cannot be opened."""
    reason = getattr(error, "strerror", None) or str(error)
    hint = "check the name" if isinstance(error, FileNotFoundError) else "check the name and the permissions"
    return ComposeError(name, None, f"cannot be read: {reason}", hint)


def _too_large(name: str, size: str) -> ComposeError:
    return ComposeError(name, None, f"too large to be a Compose file ({size})", "name another file")


def _kind(mode: int) -> str:
    """Name a kind of file for people."""
    import stat

    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something special")
