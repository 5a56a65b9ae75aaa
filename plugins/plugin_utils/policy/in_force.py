# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a running container carries what the files say.

Compose compares a hash of the file with a label, so that a limit changed by ``docker update``, or one that an engine
ignored, stays unseen there. Here the file is compared with what ``docker inspect`` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...module_utils._units import format_cpus, format_duration, format_size, parse_duration

if TYPE_CHECKING:
    from ..compose.project import Project
    from ..compose.service import Service

#: What the engine does where the file says nothing.
DEFAULT_SHM = 64 * 2**20
DEFAULT_STOP = 10.0
_CHECK_DEFAULTS = {"interval": 30.0, "timeout": 30.0, "start_period": 0.0, "retries": 3}


def differences(project: Project, service: str, container: Mapping[str, Any]) -> list[str]:
    """Return what differs between the files and a running container, one line each; empty when all is in force.

    Args:
        project: the files as they are now.
        service: name of the service.
        container: the container as the stack's reader describes it (its ``limits`` are looked at).
    """
    described = container.get("limits") or {}
    config = project.services[service]
    found: list[str] = []
    _resources(config, described, found)
    _life(config, described, found)
    _privileges(config, described, found)
    _health(config, described, found)
    _environment(config, described, found)
    return found


def _compare(found: list[str], what: str, wanted: Any, running: Any, show: Callable[[Any], str] = str) -> None:
    """Add a line when two values differ."""
    if wanted != running:
        text = "none" if wanted is None else show(wanted)
        other = "none" if running is None else show(running)
        found.append(f"{what}: the file says {text}, the container has {other}")


def _resources(config: Service, running: Mapping[str, Any], found: list[str]) -> None:
    """Compare memory, CPU, processes and shared memory. What hangs on an unknown variable is not judged."""
    rows: tuple[tuple[str, str, str, Any, Callable[[Any], str]], ...] = (
        ("memory limit", "memory", "memory", config.memory_limit, format_size),
        ("memory reservation", "memory_reservation", "memory_reservation", config.memory_reservation, format_size),
        ("CPU limit", "cpus", "cpus", config.cpus, format_cpus),
        ("process limit", "pids", "pids", config.pids_limit, str),
    )
    for what, resource, key, wanted, show in rows:
        place = config.resource_place(resource)
        if place is not None and config.is_unknown(place):
            continue
        if key == "cpus" and wanted is None and config.get(("cpu_quota",)) is not None:
            continue
        value = running.get(key)
        if key == "cpus" and value is not None:
            value = round(float(value), 3)
        _compare(found, what, wanted, value or None, show)
    if running.get("shm_size") is not None and config.text("ipc") != "host":
        _compare(found, "shm_size", config.shm_size or DEFAULT_SHM, running["shm_size"], format_size)


def _life(config: Service, running: Mapping[str, Any], found: list[str]) -> None:
    """Compare restart policy, grace period and logging."""
    if not config.is_unknown(("restart",)):
        # on-failure:0 and on-failure are the same to the engine
        _compare(found, "restart", (config.restart or "no").removesuffix(":0"), running.get("restart") or "no")
    if not config.is_unknown(("stop_grace_period",)):
        wanted = config.stop_grace_period
        stop = running.get("stop_timeout")
        whole = DEFAULT_STOP if wanted is None else float(int(wanted))
        _compare(found, "stop grace period", whole, DEFAULT_STOP if stop is None else float(stop), format_duration)
    driver, options = config.logging
    if driver is not None and not config.is_unknown(("logging",)):
        _compare(found, "log driver", driver, running.get("log_driver"))
    if options and not config.is_unknown(("logging",)):
        have = running.get("log_options") or {}
        for name, value in options.items():
            _compare(found, f"log option {name}", value, have.get(name))


def _privileges(config: Service, running: Mapping[str, Any], found: list[str]) -> None:
    """Compare security options, capabilities, privileges, read-only root and init."""
    for key in ("security_opt", "cap_drop", "cap_add"):
        if config.is_unknown((key,)):
            continue
        wanted = sorted({_option(key, item) for item in config.strings(key)})
        have = sorted({_option(key, str(item)) for item in running.get(key) or ()})
        # The engine adds options of its own (label=disable for --pid host), so only what the file asks for counts.
        missing = [item for item in wanted if item not in have]
        if missing:
            found.append(f"{key}: the file says {', '.join(missing)}, the container does not have it")
        extra = [item for item in have if item not in wanted]
        if key == "cap_add" and extra:
            found.append(f"cap_add: the container has {', '.join(extra)}, the file does not say so")
    for key in ("privileged", "read_only"):
        if not config.is_unknown((key,)):
            _compare(found, key, bool(config.flag(key)), bool(running.get(key)), _yes)
    if config.flag("init") is not None:
        _compare(found, "init", config.flag("init"), bool(running.get("init")), _yes)
    have_limits = running.get("ulimits") or {}
    for name, (soft, hard) in config.ulimits.items():
        if not config.is_unknown(("ulimits", name)):
            have_one = have_limits.get(name) or {}
            _compare(found, f"ulimit {name}", (soft, hard), (have_one.get("soft"), have_one.get("hard")))


def _option(key: str, text: str) -> str:
    """Bring the spellings of an option together (``no-new-privileges``, ``no-new-privileges=true``)."""
    if key != "security_opt":
        return text.upper().removeprefix("CAP_")
    text = text.replace("=", ":", 1)
    return "no-new-privileges" if text == "no-new-privileges:true" else text


def _yes(value: Any) -> str:
    return "true" if value else "false"


def _health(config: Service, running: Mapping[str, Any], found: list[str]) -> None:
    """Compare the health check; one of the image is not judged where the file says nothing."""
    check = config.healthcheck
    if check is None or config.is_unknown(("healthcheck",)):
        return
    have = running.get("healthcheck")
    if check["disable"] or "test" not in check:
        if check["disable"] and have:
            found.append("health check: the file switches it off, the container has one")
        return
    if not have:
        found.append("health check: the file says one, the container has none")
        return
    wanted = [item.replace("$$", "$") for item in check["test"]]
    _compare(found, "health check test", wanted, list(have.get("test") or ()), " ".join)
    for key, default in _CHECK_DEFAULTS.items():
        value = have.get(key)
        if isinstance(value, str):
            value = parse_duration(value)
        show = str if key == "retries" else format_duration
        _compare(found, f"health check {key}", check.get(key) or default, value or default, show)


def _environment(config: Service, running: Mapping[str, Any], found: list[str]) -> None:
    """Compare the variables that follow the limits."""
    have = running.get("env") or {}
    for name in ("GOMEMLIMIT", "GOMAXPROCS"):
        if name in config.environment and not config.is_unknown(("environment",)):
            _compare(found, name, config.environment[name], have.get(name))
