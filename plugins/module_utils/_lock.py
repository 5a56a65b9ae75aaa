# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a stack: a lease in a file that names its holder, is renewed at each step and expires.

This module util is PRIVATE to the collection.

A run is many module calls, so no process holds the lock for its whole length. The lease says who, since when and until
when. It is stale once it has expired, or once the process that it names is known to be dead: known only when it ran on
this boot, in our PID namespace. Two calls never decide at once: reading and writing the lease happens under flock(2)
of the folder, which the kernel drops with the process.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.breakwater.stack.plugins.module_utils import _atomic
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError, os_error

FILE_NAME = "lock.json"
_POLL_SECONDS = 0.5


class Lease(NamedTuple):
    """Who holds a stack.

    Attributes:
        holder: as people know it, for instance "ops@controller: harden.yml".
        run_id: the run.
        host: host of the process that runs the play; pid, started (clock ticks since boot), boot_id and pid_namespace
            identify it there. pid is 0 where it is not known.
        taken: when taken, renewed: when last renewed, expires: until when (seconds since the epoch).
    """

    holder: str
    run_id: str
    host: str
    pid: int
    started: int
    boot_id: str
    pid_namespace: str
    taken: float
    renewed: float
    expires: float


class Taken(NamedTuple):
    """A lock that was taken: the lease, and what is to be said about the one before (else "")."""

    lease: Lease
    note: str


def _first_line(path: str) -> str:
    """Read the first line of a file of /proc; "" where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return ""


def _start_time(pid: int) -> int:
    """Give the start of a process in clock ticks since boot (field 22 of proc_pid_stat(5)); 0 when there is none."""
    fields = _first_line(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 else 0


def _pid_namespace() -> str:
    """Name our PID namespace."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def identify(pid: int) -> dict[str, Any]:
    """Describe a process of this host for a lease (the O(process) option of the modules)."""
    return {
        "host": os.uname().nodename,
        "pid": pid,
        "started": _start_time(pid),
        "boot_id": _first_line("/proc/sys/kernel/random/boot_id"),
        "pid_namespace": _pid_namespace(),
    }


def _is_dead(lease: Lease) -> bool:
    """Tell whether the process of a lease is known to be gone."""
    if not lease.pid or not lease.boot_id or lease.boot_id != _first_line("/proc/sys/kernel/random/boot_id"):
        return False
    if lease.pid_namespace != _pid_namespace():
        return False
    started = _start_time(lease.pid)
    return started == 0 or (lease.started > 0 and started != lease.started)


def why_stale(lease: Lease, now: float) -> str:
    """Say why a lease counts no more; "" while it counts."""
    if _is_dead(lease):
        return f"its process {lease.pid} is dead"
    if now >= lease.expires:
        return f"it expired {_age(now - lease.expires)} ago"
    return ""


def _age(seconds: float) -> str:
    """Render a time span for people."""
    whole = max(0, int(seconds))
    return f"{whole} s" if whole < 120 else f"{whole // 60} min"


def describe(lease: Lease, now: float) -> str:
    """Name the holder of a lease in one line."""
    where = f" (process {lease.pid} on {lease.host})" if lease.pid else ""
    return (
        f"{lease.holder}{where}, run {lease.run_id}, since {_age(now - lease.taken)}, "
        f"last renewed {_age(now - lease.renewed)} ago, expires in {_age(lease.expires - now)}"
    )


def read(root: str) -> Lease | None:
    """Read the lease of a stack; None when nobody holds it. Changes nothing.

    Args:
        root: the folder ``.breakwater`` of the project.
    """
    state = _atomic.read_regular(os.path.join(root, FILE_NAME), limit=64 * 1024)
    if state is None:
        return None
    try:
        return Lease(**json.loads(state.content))
    except (ValueError, TypeError):
        # Leases appear by rename and are never half written, so this one was damaged by other means.
        return Lease("unknown (damaged lease)", "", "", 0, 0, "", "", 0.0, 0.0, 0.0)


@contextlib.contextmanager
def _exclusively(root: str) -> Iterator[None]:
    """Hold flock(2) of the folder for a moment."""
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise os_error(error, root, "open the folder") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise os_error(error, root, "lock the folder (does its file system support flock?)") from None
        yield
    finally:
        os.close(descriptor)


def _write(root: str, lease: Lease) -> None:
    """Put a lease in place of whatever is there."""
    path = os.path.join(root, FILE_NAME)
    before = _atomic.read_regular(path, limit=64 * 1024)
    owner = os.stat(root)
    content = (json.dumps(lease._asdict(), indent=1, sort_keys=True) + "\n").encode()
    expected = before.sha256 if before else None
    staged = _atomic.stage(_atomic.Write(path, content, expected, 0o600, owner.st_uid, owner.st_gid))
    try:
        _atomic.commit(staged)
    except BaseException:
        _atomic.discard(staged)
        raise


def take(root: str, run_id: str, holder: str, process: Mapping[str, Any], lifetime: float, wait: float = 0.0) -> Taken:
    """Take the lock for a run, or renew it when the run holds it already.

    Args:
        root: the folder ``.breakwater`` of the project; it exists.
        run_id: the run.
        holder: who, for people.
        process: as identify gives it; may be empty.
        lifetime: seconds after which the lease expires unless it is renewed.
        wait: seconds to wait for another holder.

    Raises:
        StackError: another run holds the lock and went on holding it; names the holder.
    """
    deadline = time.monotonic() + wait
    while True:
        with _exclusively(root):
            now = time.time()
            held = read(root)
            stale = why_stale(held, now) if held else ""
            if held is None or held.run_id == run_id or stale:
                lease = _new_lease(held, run_id, holder, process, now, lifetime)
                _write(root, lease)
                note = f"took over the lock of {held.holder}, run {held.run_id}: {stale}" if held and stale else ""
                return Taken(lease, "" if held and held.run_id == run_id else note)
        if time.monotonic() >= deadline:
            raise StackError(
                f"{os.path.dirname(root)}: locked by {describe(held, now)}; wait for it, or break the lock with "
                "breakwater.stack.stack_unlock if you know that this run is gone"
            )
        time.sleep(min(_POLL_SECONDS, max(0.0, deadline - time.monotonic())))


def _new_lease(
    held: Lease | None, run_id: str, holder: str, process: Mapping[str, Any], now: float, lifetime: float
) -> Lease:
    """Make the lease of a run; a run that holds the lock keeps the time at which it took it."""
    return Lease(
        holder=holder,
        run_id=run_id,
        host=str(process.get("host") or ""),
        pid=int(process.get("pid") or 0),
        started=int(process.get("started") or 0),
        boot_id=str(process.get("boot_id") or ""),
        pid_namespace=str(process.get("pid_namespace") or ""),
        taken=held.taken if held and held.run_id == run_id else now,
        renewed=now,
        expires=now + lifetime,
    )


def renew(root: str, run_id: str) -> Lease:
    """Renew the lock of a run for as long again as it was given.

    Raises:
        StackError: the run does not hold the lock; names who does.
    """
    if not os.path.isdir(root):
        raise StackError(f"{os.path.dirname(root)}: run {run_id} does not hold the lock; open the stack first")
    with _exclusively(root):
        now = time.time()
        held = read(root)
        if held is None or held.run_id != run_id:
            who = f"held by {describe(held, now)}" if held else "held by nobody"
            raise StackError(
                f"{os.path.dirname(root)}: run {run_id} does not hold the lock, which is {who}; nothing was written: "
                "open the stack again"
            )
        lease = held._replace(renewed=now, expires=now + (held.expires - held.renewed))
        _write(root, lease)
        return lease


def release(root: str, run_id: str | None) -> Lease | None:
    """Remove the lease of a run, or whosever it is when run_id is None (breaking the lock).

    Returns:
        The lease that was removed; None when there was none, or it is another run's.
    """
    if not os.path.isdir(root):
        return None
    with _exclusively(root):
        held = read(root)
        if held is None or (run_id is not None and held.run_id != run_id):
            return None
        path = os.path.join(root, FILE_NAME)
        try:
            os.unlink(path)
            _atomic.sync_folder(root)
        except OSError as error:
            raise os_error(error, path, "release the lock") from None
        return held
