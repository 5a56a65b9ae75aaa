# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a stack once: its files, its containers with what they use, its host, its generation and its lock.

This module util is PRIVATE to the collection. Nothing is changed. Four processes are started, three of them at once:
``docker info``, ``docker compose config --hash``, ``docker ps``, and then one ``docker inspect`` of all containers. A
project with ``env_file`` takes one more (see _start_hashing).
"""

from __future__ import annotations

import calendar
import json
import os
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.breakwater.stack.plugins.module_utils import (
    _cgroups,
    _compose_cli,
    _containers,
    _generations,
    _lock,
    _ports,
    _project,
)

CGROUP_ROOT = "/sys/fs/cgroup"
# Longer than one period of CPU limits (100 ms), within which a throttled container shows all or nothing.
CPU_WINDOW_SECONDS = 0.15


class Request(NamedTuple):
    """What to read.

    Attributes:
        directory: the project folder, absolute.
        files: Compose files relative to it; empty lets Compose's rules decide.
        project_name: name of the project; None lets Compose's rules decide.
        env_files: files in place of ``.env``, relative to the folder.
        profiles: profiles that are active.
        generation: the generation whose contents are wanted: "latest", "latest_kept" or an id; None gives the open
            one with contents, else the latest without.
        usage: measure what containers use (costs up to 0.15 s).
    """

    directory: str
    files: Sequence[str]
    project_name: str | None
    env_files: Sequence[str]
    profiles: Sequence[str]
    generation: str | None
    usage: bool


def read(request: Request, docker: _compose_cli.Docker | None) -> dict[str, Any]:
    """Read a stack.

    Args:
        request: what to read.
        docker: the docker command; None where the engine is not to be asked: then only files and host are read.

    Raises:
        StackError: files or Docker cannot be read, or Docker is too old.
    """
    directory = request.directory
    env_entries = _read_env_files(directory, request.env_files)
    texts = [_project.text_of(entry) for entry in env_entries]
    variables = _project.Variables(os.environ, texts)
    names = _project.discover(directory, request.files, variables)
    entries = _project.read_files(directory, names)
    name = _project.project_name(directory, request.project_name, variables, entries)
    referenced = _project.referenced_files(directory, entries)
    env_file = any("env_file" in _project.text_of(entry) for entry in [*entries, *referenced])
    engine = _NO_ENGINE
    if docker is not None:
        engine = _read_engine(request._replace(project_name=name), docker, names, env_file)
    project = {
        "directory": directory,
        "name": name,
        "files": entries,
        "referenced": referenced,
        "own": _project.own_files(directory),
        "env_files": env_entries,
        "env": _project.used_environment([*entries, *referenced, *env_entries], os.environ),
        "config_hashes": engine.config_hashes,
        "config_hashes_alone": engine.config_hashes_alone,
        "config_error": engine.config_error,
    }
    return {
        "project": project,
        "containers": engine.containers,
        "host": _host(engine),
        "listening": _ports.listening(),
        "generation": _generation(request),
        "generations": _generations.history(directory),
        "lock": _lease(directory),
    }


def _read_env_files(directory: str, env_files: Sequence[str]) -> list[dict[str, Any]]:
    """Read the files that give Compose its variables: those stated, or ``.env`` where it exists."""
    if env_files:
        return _project.read_files(directory, env_files)
    entry = _project.read_entry(directory, ".env")
    return [entry] if entry else []


def _lease(directory: str) -> dict[str, Any] | None:
    """Give the lock with what makes it stale, if anything."""
    lease = _lock.read(_generations.root_of(directory))
    return None if lease is None else {**lease._asdict(), "stale": _lock.why_stale(lease, time.time())}


def _generation(request: Request) -> dict[str, Any] | None:
    """Give the generation that is asked for; else the open one with contents; else the latest."""
    if request.generation:
        manifest = _generations.find(request.directory, request.generation)
        return None if manifest is None else _generations.describe(request.directory, manifest, contents=True)
    manifest = _generations.find(request.directory, "open")
    contents = manifest is not None
    manifest = manifest or _generations.find(request.directory, "latest")
    return None if manifest is None else _generations.describe(request.directory, manifest, contents)


class _Engine(NamedTuple):
    """What Docker said."""

    info: Mapping[str, Any]
    containers: list[dict[str, Any]]
    held: int
    config_hashes: Mapping[str, str]
    config_hashes_alone: Mapping[str, str]
    config_error: str | None


#: A host whose engine is not asked.
_NO_ENGINE = _Engine({}, [], 0, {}, {}, None)


class _Account(NamedTuple):
    """Where the accounts of a container lie, and its CPU time when first looked at."""

    container: dict[str, Any]
    paths: _cgroups.Paths
    nanoseconds: int | None


def _read_engine(request: Request, docker: _compose_cli.Docker, files: Sequence[str], env_file: bool) -> _Engine:
    """Ask Docker everything, as much as possible at once."""
    started: list[_compose_cli.Process] = []

    def start(arguments: Sequence[str], source: _compose_cli.Process | None = None) -> _compose_cli.Process:
        started.append(docker.start(arguments, request.directory, source))
        return started[-1]

    try:
        listing = start(["ps", "--all", "--no-trunc", "--quiet"])
        hashing = _start_hashing(start, request, files, env_file)
        informing = start(["info", "--format", "{{json .}}"])
        listed = listing.wait()
        if listed.code != 0:
            raise _compose_cli.failure("list the containers", listed)
        inspected = _inspect(docker, _containers.parse_ps(listed.stdout))
        containers = [_containers.describe(item, request.project_name or "") for item in inspected]
        accounts = _open_accounts(inspected, containers) if request.usage else []
        first = time.monotonic()
        info = _info(informing.wait())
        hashes, error = _hashes([process.wait() for process in hashing])
        ours = [item for item in containers if item["ours"]]
        unlike = {item["service"] for item in ours if item["config_hash"] != hashes.get(item["service"])}
        alone = _hashes_alone(docker, request, files, unlike & hashes.keys())
        held = _settle_accounts(accounts, first)
    finally:
        for process in started:
            process.stop()
    return _Engine(info, containers, held, hashes, alone, error)


def _start_hashing(
    start: Callable[..., _compose_cli.Process], request: Request, files: Sequence[str], env_file: bool
) -> list[_compose_cli.Process]:
    """Have Compose give the hash that it would label each service's container with.

    ``config --hash`` leaves ``env_file`` in the hashed service, ``up`` has put the variables in its place (seen with
    Compose 2.26.1): there, what is hashed is the project after Compose has resolved it.
    """
    if not env_file:
        return [start([*_compose(request, files), "config", "--hash", "*"])]
    resolving = start([*_compose(request, files), "config", "--format", "json"])
    return [resolving, start([*_compose(request, ["-"]), "config", "--hash", "*"], resolving)]


def _compose(request: Request, files: Sequence[str]) -> list[str]:
    """Give the arguments that name the project with the services of every profile.

    They may all run, and Compose deploys one that is named whatever its profile.
    """
    profiles = [*request.profiles, "*"]
    return _compose_cli.compose_arguments(request.directory, files, request.project_name, request.env_files, profiles)


def _hashes_alone(
    docker: _compose_cli.Docker, request: Request, files: Sequence[str], services: Collection[str]
) -> Mapping[str, str]:
    """Have Compose hash services without what they depend on: so it labels a container that is deployed alone.

    Compose 2.26.1 counts ``depends_on`` into the hash, and leaves it out under ``up --no-deps``.
    """
    if not services:
        return {}
    resolved = docker.run([*_compose(request, files), "config", "--format", "json"], request.directory)
    if resolved.code != 0:
        return {}
    project = json.loads(resolved.stdout)
    for service in project["services"].values():
        service.pop("depends_on", None)
    text = json.dumps(project).encode("ascii")
    hashed = docker.run([*_compose(request, ["-"]), "config", "--hash", "*"], request.directory, text=text)
    found = _compose_cli.parse_config_hashes(hashed.stdout) if hashed.code == 0 else {}
    return {name: value for name, value in found.items() if name in services}


def _hashes(results: Sequence[_compose_cli.Result]) -> tuple[Mapping[str, str], str | None]:
    """Give the hashes, or what Compose has against the project, which is the controller's to judge."""
    for result in results:
        if result.code != 0:
            return {}, _config_error(result)
    return _compose_cli.parse_config_hashes(results[-1].stdout), None


def _config_error(result: _compose_cli.Result) -> str:
    """Give what Compose has against the project."""
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip() and "level=warning" not in line]
    return " ".join(lines) or f"docker compose config failed with exit code {result.code}"


def _info(result: _compose_cli.Result) -> Mapping[str, Any]:
    """Parse ``docker info`` and refuse what is too old.

    Raises:
        StackError: no daemon, no Compose plugin, or too old.
    """
    try:
        info = json.loads(result.stdout)
    except ValueError:
        raise _compose_cli.failure("read the engine's facts", result) from None
    if not isinstance(info, dict) or not info.get("ServerVersion"):
        raise _compose_cli.failure("read the engine's facts", result)
    _compose_cli.check_versions(str(info["ServerVersion"]), compose_version(info))
    return info


def compose_version(info: Mapping[str, Any]) -> str | None:
    """Give the version of the Compose plugin as ``docker info`` lists it; None when it is missing."""
    plugins = (info.get("ClientInfo") or {}).get("Plugins") or []
    found = [plugin for plugin in plugins if plugin.get("Name") == "compose" and not plugin.get("Err")]
    return str(found[0].get("Version", "")) if found else None


def _inspect(docker: _compose_cli.Docker, identifiers: Sequence[str]) -> list[dict[str, Any]]:
    """Inspect all containers with one command; those that vanished meanwhile are left out."""
    if not identifiers:
        return []
    result = docker.run(["inspect", "--type", "container", *identifiers])
    if result.code != 0 and "no such container" not in result.stderr.lower():
        raise _compose_cli.failure("inspect the containers", result)
    try:
        return list(json.loads(result.stdout))
    except ValueError:
        raise _compose_cli.failure("inspect the containers", result) from None


def _open_accounts(inspected: Sequence[Mapping[str, Any]], containers: Sequence[dict[str, Any]]) -> list[_Account]:
    """Find the kernel's accounts of our running containers and start to measure CPU."""
    accounts = []
    for item, container in zip(inspected, containers):
        pid = (item.get("State") or {}).get("Pid") or 0
        if not pid or not container["ours"]:
            continue
        listed = _cgroups.read_text(f"/proc/{pid}/cgroup")
        paths = _cgroups.paths_of(listed, str(item["Id"]), CGROUP_ROOT) if listed else None
        if paths is not None:
            accounts.append(_Account(container, paths, _cgroups.read_cpu_nanoseconds(paths)))
    return accounts


def _settle_accounts(accounts: Sequence[_Account], first: float) -> int:
    """Fill in what our containers use. Returns the memory that they hold together, without file cache."""
    if not accounts:
        return 0
    time.sleep(max(0.0, first + CPU_WINDOW_SECONDS - time.monotonic()))
    held = 0
    for account in accounts:
        nanoseconds = _cgroups.read_cpu_nanoseconds(account.paths)
        window = time.monotonic() - first
        memory = _cgroups.read_memory(account.paths)
        held += memory.held or 0
        account.container["usage"] = {
            "memory": memory.current,
            "memory_peak": peak_of(memory, _cgroups.resident_peak(account.paths)),
            "memory_peak_with_cache": memory.peak,
            "file_cache": memory.file_cache,
            "cpus": cpus_of(account.nanoseconds, nanoseconds, window),
            "cpus_average": cpus_of(0, nanoseconds, uptime_of(account.container["started"], time.time())),
            "pids": _cgroups.read_pids(account.paths),
        }
    return held


def uptime_of(started: str | None, now: float) -> float:
    """Give the seconds since a container started, from a time as Docker writes it; 0 where it cannot be read."""
    try:
        return max(0.0, now - calendar.timegm(time.strptime((started or "")[:19], "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        return 0.0


def cpus_of(before: int | None, after: int | None, seconds: float) -> float | None:
    """Give the CPUs in use between two readings of CPU time in nanoseconds."""
    if before is None or after is None or seconds <= 0:
        return None
    return round(max(0, after - before) / 1e9 / seconds, 3)


def peak_of(memory: _cgroups.Memory, resident: int | None) -> int | None:
    """Estimate the highest need of memory, without file cache that the kernel would give back.

    The recorded peak counts file cache; the sum of the processes' resident peaks does not, but may count shared pages
    several times. The need was at most the smaller of the two, and is at least what is held now.
    """
    known = [value for value in (memory.peak, resident) if value is not None]
    if not known:
        return memory.current
    return max(min(known), memory.held or 0)


def _host(engine: _Engine) -> dict[str, Any]:
    """Give the facts of the host."""
    meminfo = _cgroups.parse_meminfo(_cgroups.read_text("/proc/meminfo") or "")
    limits = (engine.info.get("MemTotal"), meminfo.get("MemTotal"), _cgroups.own_limit(CGROUP_ROOT))
    total, available = meminfo.get("MemTotal"), meminfo.get("MemAvailable")
    used = total - available if total is not None and available is not None else None
    return {
        "memory": min(limit for limit in limits if limit),
        "memory_available": available,
        "others_memory": None if used is None else max(0, used - engine.held),
        "swap": meminfo.get("SwapTotal"),
        "cpus": engine.info.get("NCPU") or os.cpu_count(),
        "cgroup": int(engine.info.get("CgroupVersion") or _cgroups.version_of(CGROUP_ROOT)),
        "engine": engine.info.get("ServerVersion"),
        "compose": compose_version(engine.info),
        "enforces": {
            "memory": bool(engine.info.get("MemoryLimit")),
            "swap": bool(engine.info.get("SwapLimit")),
            "cpus": bool(engine.info.get("CpuCfsQuota")),
            "pids": bool(engine.info.get("PidsLimit")),
        },
    }


def summary(reading: Mapping[str, Any]) -> dict[str, Any]:
    """Give the part of a reading that holds no content of files and no environment, for people and logs."""
    project = reading["project"]
    shown = ("service", "name", "image", "state", "health", "restart_count", "oom_killed", "usage")
    limits = ("memory", "memory_reservation", "cpus", "pids", "restart")
    error = project["config_error"]
    return {
        "project": {
            "directory": project["directory"],
            "name": project["name"],
            "files": [{"path": entry["path"], "sha256": entry["sha256"]} for entry in project["files"]],
            # Compose quotes values in its errors, and a value may be a secret.
            "config_error": None if error is None else re.sub(r"(\"|').*?\1", "'...'", error),
        },
        "containers": [
            {
                **{key: container[key] for key in shown},
                "limits": {key: container["limits"][key] for key in limits},
            }
            for container in reading["containers"]
            if container["ours"]
        ],
        "host": reading["host"],
        "generation": _summarised_generation(reading["generation"]),
        "lock": reading["lock"],
    }


def _summarised_generation(generation: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Give a generation without contents."""
    if generation is None:
        return None
    files = [{"path": entry["path"], "status": entry["status"]} for entry in generation["files"]]
    keys = ("id", "state", "who", "why", "run_id", "opened", "services")
    return {**{key: generation.get(key) for key in keys}, "files": files}
