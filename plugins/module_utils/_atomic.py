# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read regular files, and replace them so that a reader, a crash or a full disk never meets half a file.

This module util is PRIVATE to the collection.

A write has two halves. ``stage`` puts the new content, durable and with its final owner, mode and attributes, into a
temporary file of the same folder; everything that may fail for want of space or permission fails here. ``commit``
checks that the file is still the one that was planned from, renames, and makes the rename durable.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError, os_error

# The same bound as the Compose editor's on the controller.
MAX_FILE_SIZE = 8 * 1024 * 1024
_TEMPORARY = re.compile(r"\.breakwater-[0-9a-f]{16}\.tmp")
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class FileState(NamedTuple):
    """A regular file as it was read."""

    sha256: str
    mode: int
    uid: int
    gid: int
    content: bytes


class Write(NamedTuple):
    """One file as it shall become.

    Attributes:
        path: where, absolute.
        content: the new bytes.
        expected: sha256 of the bytes that the file must still have; None: there must be no file.
        mode: permission bits.
        uid: owner; -1 leaves it to the process.
        gid: group; -1 leaves it to the process.
    """

    path: str
    content: bytes
    expected: str | None
    mode: int
    uid: int
    gid: int


class Staged(NamedTuple):
    """A write whose new content waits in a temporary file beside its place."""

    write: Write
    temporary: str


def sha256(content: bytes) -> str:
    """Give the hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def read_regular(path: str, limit: int = MAX_FILE_SIZE) -> FileState | None:
    """Read a file with its hash, mode and owner; None where there is nothing.

    Never blocks on a FIFO and never follows a symbolic link in the last part of the path.

    Raises:
        StackError: a symbolic link, not a regular file, larger than limit bytes, or not readable.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refusal(path) or os_error(error, path, "read the file") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _refusal(path) or StackError(f"{path}: is not a regular file; name a regular file")
        if status.st_size > limit:
            raise StackError(
                f"{path}: has {status.st_size} bytes, more than the {limit} that are read; is it the right file?"
            )
        content = _read_all(descriptor, limit)
    except OSError as error:
        raise os_error(error, path, "read the file") from None
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise StackError(f"{path}: grows while it is read, beyond {limit} bytes; is it the right file?")
    return FileState(sha256(content), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, content)


def _read_all(descriptor: int, limit: int) -> bytes:
    """Read to the end, at most one byte beyond limit."""
    parts = []
    left = limit + 1
    while left > 0:
        part = os.read(descriptor, min(left, 1 << 20))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _refusal(path: str) -> StackError | None:
    """Say why something that exists is not a file that we read or write; None for a regular file or nothing."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return None
    if stat.S_ISLNK(mode):
        try:
            target = os.readlink(path)
        except OSError:
            target = "?"
        return StackError(
            f"{path}: is a symbolic link to {target}; only regular files are read and written: "
            "name the real file, or replace the link by it"
        )
    kinds = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "FIFO"), (stat.S_ISSOCK, "socket"))
    for test, kind in kinds:
        if test(mode):
            return StackError(f"{path}: is a {kind}, not a file; name a regular file")
    return None if stat.S_ISREG(mode) else StackError(f"{path}: is a device, not a file; name a regular file")


def stage(write: Write) -> Staged:
    """Put the new content into a temporary file beside its place, durable, with final owner, mode and attributes.

    Raises:
        StackError: it cannot be written; nothing is left behind.
    """
    temporary = os.path.join(os.path.dirname(write.path), f".breakwater-{os.urandom(8).hex()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise os_error(error, write.path, "write the file") from None
    try:
        try:
            _write_all(descriptor, write.content)
            _set_attributes(descriptor, write)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        _unlink(temporary)
        raise os_error(error, write.path, "write the file") from None
    except BaseException:
        _unlink(temporary)
        raise
    return Staged(write, temporary)


def _write_all(descriptor: int, content: bytes) -> None:
    """Write every byte; a short write is continued."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _set_attributes(descriptor: int, write: Write) -> None:
    """Give the temporary file owner, extended attributes (SELinux label, ACL) and mode of the file to be."""
    status = os.fstat(descriptor)
    uid = write.uid if write.uid != status.st_uid else -1
    gid = write.gid if write.gid != status.st_gid else -1
    if uid != -1 or gid != -1:
        os.fchown(descriptor, uid, gid)
    if write.expected is not None:
        _copy_extended_attributes(write.path, descriptor)
    os.fchmod(descriptor, write.mode)


def _copy_extended_attributes(source: str, descriptor: int) -> None:
    """Copy what the file system lets us; a file system without attributes, or a refused one, is no error."""
    try:
        names = os.listxattr(source, follow_symlinks=False)
    except OSError:
        return
    for name in names:
        with contextlib.suppress(OSError):
            os.setxattr(descriptor, name, os.getxattr(source, name, follow_symlinks=False))


def check_unchanged(write: Write) -> None:
    """Refuse when the file is no longer the one that was planned from.

    Raises:
        StackError: it changed, vanished or appeared since it was read.
    """
    now = read_regular(write.path)
    if now is None and write.expected is not None:
        raise StackError(f"{write.path}: was deleted since it was read; nothing was written: run again")
    if now is not None and write.expected is None:
        raise StackError(f"{write.path}: appeared since the stack was read; nothing was written: run again")
    if now is not None and now.sha256 != write.expected:
        raise StackError(f"{write.path}: was changed by someone since it was read; nothing was written: run again")


def commit(staged: Staged) -> None:
    """Move the staged content to its place and make that durable.

    Raises:
        StackError: the file is no longer the one that was planned from, or cannot be replaced.
            The old file is whole, and the temporary file stays for discard.
    """
    write, temporary = staged
    check_unchanged(write)
    try:
        if write.expected is None:
            _move_to_free_name(temporary, write.path)
        else:
            os.replace(temporary, write.path)
        sync_folder(os.path.dirname(write.path))
    except FileExistsError:
        raise StackError(f"{write.path}: appeared since the stack was read; nothing was written: run again") from None
    except OSError as error:
        raise os_error(error, write.path, "replace the file") from None


def _move_to_free_name(temporary: str, path: str) -> None:
    """Rename that never replaces: through a hard link where the file system has them."""
    try:
        os.link(temporary, path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.replace(temporary, path)
    else:
        os.unlink(temporary)


def discard(staged: Staged) -> None:
    """Remove the temporary file of a write that will not happen."""
    _unlink(staged.temporary)


def remove(path: str, expected: str) -> None:
    """Remove a file that must still have the content that we gave it, and make that durable.

    Raises:
        StackError: it changed or cannot be removed.
    """
    check_unchanged(Write(path, b"", expected, 0, -1, -1))
    try:
        os.unlink(path)
        sync_folder(os.path.dirname(path))
    except OSError as error:
        raise os_error(error, path, "remove the file") from None


def sync_folder(path: str) -> None:
    """Make creations, renames and removals in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and FUSE file systems have no fsync on folders; there the rename is as durable as it gets.
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
    finally:
        os.close(descriptor)


def leftovers(folder: str) -> Iterator[str]:
    """Give the temporary files that killed runs left in a folder. Only the holder of the lock may remove them."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if _TEMPORARY.fullmatch(name):
            yield os.path.join(folder, name)


def _unlink(path: str) -> None:
    """Remove a file of ours; that it is gone is as good."""
    with contextlib.suppress(OSError):
        os.unlink(path)
