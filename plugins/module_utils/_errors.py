# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of the target's half, and what operating system errors mean to people.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

import errno

_ADVICE = {
    errno.ENOSPC: "free some space on this file system and run again",
    errno.EDQUOT: "the disk quota is used up: free some space and run again",
    errno.EROFS: "the file system is mounted read-only: mount it writable and run again",
    errno.EACCES: "run as a user who may (for instance with become: true)",
    errno.EPERM: "run as a user who may (for instance with become: true)",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "a part of the path is a file, not a folder: check the path",
    errno.EISDIR: "name a file, not a folder",
    errno.ENAMETOOLONG: "the name is too long for this file system",
    errno.EIO: "the disk reports an error: look into the kernel's log",
    errno.EINVAL: "check the path",
    errno.ELOOP: "symbolic links form a loop: check the path",
}


class StackError(Exception):
    """Something that a person must settle. ``str()`` is one line: path, what, what to do."""


def os_error(error: OSError, path: str, action: str) -> StackError:
    """Say in one line which path failed, at what, and what to do.

    Args:
        error: what the operating system said.
        path: the path as people know it.
        action: what was attempted, as it follows "cannot".
    """
    reason = error.strerror or str(error)
    advice = _ADVICE.get(error.errno or 0)
    return StackError(f"{path}: cannot {action}: {reason}" + (f"; {advice}" if advice else ""))
