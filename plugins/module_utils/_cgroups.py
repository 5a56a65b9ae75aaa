# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel accounts for a container: memory, its peak, file cache, CPU time and processes; cgroup v1 and v2.

This module util is PRIVATE to the collection.

Sources: Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst of the Linux kernel. A value that the kernel
does not give (memory.peak before Linux 5.19, a controller that is not mounted) is None, never a guess.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

# A container with more processes than this gets no sum of resident peaks: reading them would cost more than it tells.
_MAX_PROCESSES = 512


class Paths(NamedTuple):
    """Where the accounts of one container lie: a folder per controller (the same one three times on v2)."""

    version: int
    memory: str
    cpu: str
    pids: str


class Memory(NamedTuple):
    """Memory of a container in bytes.

    Attributes:
        current: in use, without inactive file cache (what ``docker stats`` shows).
        peak: the highest use that the kernel has recorded since the container started, file cache included.
        file_cache: file cache in it, active and inactive, without shared memory. The kernel gives it back under
            pressure.
        held: in use without any file cache.
    """

    current: int | None
    peak: int | None
    file_cache: int | None
    held: int | None


def parse_flat_keyed(text: str) -> dict[str, int]:
    """Parse lines of ``name number`` (memory.stat, cpu.stat); lines of any other form are skipped."""
    values = {}
    for line in text.splitlines():
        name, _space, number = line.partition(" ")
        if number.strip().isdigit():
            values[name] = int(number)
    return values


def parse_number(text: str | None) -> int | None:
    """Parse a file that holds one number; None for ``max`` and anything else."""
    stripped = (text or "").strip()
    return int(stripped) if stripped.isdigit() else None


def parse_meminfo(text: str) -> dict[str, int]:
    """Parse /proc/meminfo into bytes."""
    values = {}
    for line in text.splitlines():
        name, _colon, rest = line.partition(":")
        fields = rest.split()
        if fields and fields[0].isdigit():
            values[name] = int(fields[0]) * (1024 if fields[1:] == ["kB"] else 1)
    return values


def parse_process_cgroups(text: str) -> dict[str, str]:
    """Parse /proc/<pid>/cgroup: controller name to path; the unified hierarchy is ""."""
    paths = {}
    for line in text.splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            for controller in parts[1].split(","):
                paths[controller] = parts[2]
    return paths


def memory_of(version: int, files: Mapping[str, str]) -> Memory:
    """Give the memory of a container from the texts of its memory files.

    Args:
        version: 1 or 2.
        files: memory.usage_in_bytes, memory.max_usage_in_bytes, memory.stat (v1); memory.current, memory.peak,
            memory.stat (v2). Missing ones are left out.
    """
    usage = parse_number(files.get("memory.usage_in_bytes" if version == 1 else "memory.current"))
    peak = parse_number(files.get("memory.max_usage_in_bytes" if version == 1 else "memory.peak"))
    prefix = "total_" if version == 1 else ""
    stat = parse_flat_keyed(files.get("memory.stat", ""))
    inactive, active = stat.get(prefix + "inactive_file"), stat.get(prefix + "active_file")
    current = None if usage is None else max(0, usage - (inactive or 0))
    cache = None if inactive is None or active is None else inactive + active
    held = None if usage is None or cache is None else max(0, usage - cache)
    return Memory(current, peak, cache, held)


def cpu_nanoseconds_of(version: int, files: Mapping[str, str]) -> int | None:
    """Give the CPU time that a container has used, from cpuacct.usage (v1) or cpu.stat (v2)."""
    if version == 1:
        return parse_number(files.get("cpuacct.usage"))
    microseconds = parse_flat_keyed(files.get("cpu.stat", "")).get("usage_usec")
    return None if microseconds is None else microseconds * 1000


def read_text(path: str) -> str | None:
    """Read a small file of the kernel; None where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def version_of(root: str) -> int:
    """Tell which cgroup version manages memory under a mount point (usually /sys/fs/cgroup)."""
    return 2 if os.path.exists(os.path.join(root, "cgroup.controllers")) else 1


def paths_of(process_cgroups: str, identifier: str, root: str) -> Paths | None:
    """Find the accounts of a container.

    Args:
        process_cgroups: text of /proc/<pid>/cgroup of its first process.
        identifier: full id of the container; the path must name it, or the process is not ours to read (a PID of
            another host or namespace).
        root: mount point of the cgroup file systems.
    """
    found = parse_process_cgroups(process_cgroups)
    if version_of(root) == 2:
        path = _below(root, "", found.get(""), identifier)
        return Paths(2, path, path, path) if path else None
    memory = _below(root, "memory", found.get("memory"), identifier)
    if memory is None:
        return None
    cpu = _below(root, "cpuacct", found.get("cpuacct"), identifier) or ""
    return Paths(1, memory, cpu, _below(root, "pids", found.get("pids"), identifier) or "")


def _below(root: str, controller: str, path: str | None, identifier: str) -> str | None:
    """Give the folder of a cgroup, seen from inside a cgroup namespace or not; None when it is another's."""
    if path is None or identifier not in path:
        return None
    folder = os.path.join(root, controller, path.lstrip("/"))
    if os.path.isdir(folder):
        return folder
    # Seen from another cgroup namespace the path starts elsewhere (`/../..`): find its end below our mount.
    tail = path[path.index(identifier) :]
    for parent in ("docker", "system.slice", ""):
        prefix = path[: path.index(identifier)].rsplit("/", 1)[-1]
        folder = os.path.join(root, controller, parent, prefix + tail)
        if os.path.isdir(folder):
            return folder
    return None


def read_memory(paths: Paths) -> Memory:
    """Read the memory of a container."""
    names = (
        ("memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.stat")
        if paths.version == 1
        else ("memory.current", "memory.peak", "memory.stat")
    )
    return memory_of(paths.version, _read(paths.memory, names))


def read_cpu_nanoseconds(paths: Paths) -> int | None:
    """Read the CPU time that a container has used."""
    names = ("cpuacct.usage",) if paths.version == 1 else ("cpu.stat",)
    return cpu_nanoseconds_of(paths.version, _read(paths.cpu, names))


def read_pids(paths: Paths) -> int | None:
    """Read the number of processes and threads of a container."""
    return parse_number(read_text(os.path.join(paths.pids, "pids.current"))) if paths.pids else None


def _read(folder: str, names: tuple[str, ...]) -> dict[str, str]:
    """Read the files of a folder that can be read."""
    texts = {name: read_text(os.path.join(folder, name)) for name in names}
    return {name: text for name, text in texts.items() if text is not None}


def resident_peak(paths: Paths, proc: str = "/proc") -> int | None:
    """Sum the peaks of resident memory (VmHWM) of the processes that live now.

    The peak of the cgroup counts file cache, which the kernel gives back under pressure; this one does not, but counts
    shared pages once per process and forgets processes that ended.
    """
    listed = (read_text(os.path.join(paths.memory, "cgroup.procs")) or "").split()
    if not listed or len(listed) > _MAX_PROCESSES:
        return None
    peaks = []
    for pid in listed:
        status = read_text(os.path.join(proc, pid, "status"))
        if status is not None:
            peaks.append(parse_meminfo(status).get("VmHWM", 0))
    return sum(peaks) if peaks else None


def own_limit(root: str) -> int | None:
    """Give the memory limit of the cgroup that is mounted as root: a target that is a container itself has one."""
    if version_of(root) == 2:
        return parse_number(read_text(os.path.join(root, "memory.max")))
    limit = parse_number(read_text(os.path.join(root, "memory", "memory.limit_in_bytes")))
    # Without a limit, v1 gives the largest page-aligned 64-bit number.
    return limit if limit is not None and limit < 1 << 60 else None
