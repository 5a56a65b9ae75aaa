# SPDX-License-Identifier: GPL-3.0-or-later
"""Write reports so that no reader ever sees half of one: node_exporter may come by at any time."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress

from breakwater.exits import CommandError

#: What others may do with a report, before the umask.
_MODE = 0o666


def refuse_unwritable(file: str) -> None:
    """Refuse a file that cannot be written, before a check of minutes begins.

    Raises:
        CommandError: says why.
    """
    folder = os.path.dirname(file) or "."
    if os.path.isdir(file):
        raise CommandError(f"{file}: is a folder; name a file")
    if not os.path.isdir(folder):
        raise CommandError(f"{file}: cannot be written: there is no folder {folder}")
    target = file if os.path.exists(file) and not os.path.isfile(file) else folder
    if not os.access(target, os.W_OK):
        raise CommandError(f"{file}: cannot be written: permission denied")


def save(text: str, file: str) -> None:
    """Replace a file by a text; what is no plain file (a pipe, a device) is written to.

    Raises:
        CommandError: it cannot be written.
    """
    try:
        if os.path.exists(file) and not os.path.isfile(file):
            with open(file, "w", encoding="utf-8") as stream:
                stream.write(text)
            return
        _replace(text, os.path.realpath(file))
    except OSError as error:
        raise CommandError(f"{file}: cannot be written: {error.strerror}") from None


def _replace(text: str, path: str) -> None:
    """Write beside the file, and put it in its place."""
    descriptor, new = tempfile.mkstemp(prefix=".breakwater-", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            umask = os.umask(0)
            os.umask(umask)
            os.fchmod(stream.fileno(), _MODE & ~umask)
        os.replace(new, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(new)
        raise
