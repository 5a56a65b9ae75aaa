# SPDX-License-Identifier: GPL-3.0-or-later
"""Write files in place: all of them staged before the first is replaced, each replaced atomically."""

from __future__ import annotations

import os

from ansible_collections.breakwater.stack.plugins.module_utils._atomic import (
    Staged,
    Write,
    check_unchanged,
    commit,
    discard,
    read_regular,
    sha256,
    stage,
)
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError
from breakwater.exits import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class NewFile:
    """A file as it was read and as it shall become."""

    __slots__ = ("name", "new", "old")

    def __init__(self, name: str, old: str, new: str) -> None:
        self.name = name
        self.old = old
        self.new = new


def write_files(files: Sequence[NewFile]) -> list[str]:
    """Write files, or none where one of them has changed or cannot be staged.

    A symbolic link is followed, so that it stays a link. Mode, owner and extended attributes are kept.

    Returns:
        A line for people per file.

    Raises:
        CommandError: a file changed since it was read, or cannot be written. A file is never half written.
    """
    staged: list[Staged] = []
    try:
        # extend() keeps what was staged before an error, so that it is discarded below.
        staged.extend(stage(_planned(file)) for file in files)
        for ready in staged:
            check_unchanged(ready.write)
        for ready in staged:
            commit(ready)
    except StackError as error:
        raise CommandError(str(error)) from None
    finally:
        for ready in staged:
            discard(ready)
    return [_said(file) for file in files]


def _planned(file: NewFile) -> Write:
    """Describe the write of one file, and refuse what a rename would harm.

    Raises:
        StackError: the file has several hard links, or is no longer what was read.
    """
    path = os.path.realpath(file.name)
    state = read_regular(path)
    if state is None:
        raise StackError(f"{file.name}: was deleted since it was read; nothing was written: run again")
    if os.stat(path).st_nlink > 1:
        raise StackError(
            f"{file.name}: has several hard links, which a safe write would part; nothing was written: "
            "replace the file by a copy of it"
        )
    return Write(path, file.new.encode(), sha256(file.old.encode()), state.mode, state.uid, state.gid)


def _said(file: NewFile) -> str:
    """Say what was written, and through which link."""
    if os.path.islink(file.name):
        return f"wrote {os.path.realpath(file.name)} (through the symbolic link {file.name})"
    return f"wrote {file.name}"
