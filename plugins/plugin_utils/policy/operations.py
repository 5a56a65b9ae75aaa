# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts, logs, stopping and starting in order (BW-OPS-*)."""

from __future__ import annotations

from ...module_utils._units import format_duration
from . import coupled, datastores
from .context import Context
from .model import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Seconds that a kind may take to stop. Temporal: the incident's restart procedure gives it 60.
GRACE = {"temporal": 60.0, "postgres": 60.0, "redis": 30.0, "worker": 60.0}

LOG_OPTIONS = {"max-size": "10m", "max-file": "3"}

#: File descriptors that a service gets when the file states too few.
NOFILE = 65536

# Log drivers that keep a file for ever by default.
_UNBOUNDED = ("json-file",)


def check_restart(context: Context) -> Finding | None:
    """BW-OPS-001: a daemon starts again by itself."""
    restart = context.service.restart
    if context.role.lifetime in ("job", "shell") or restart not in (None, "", "no"):
        return None
    if context.service.is_unknown(("restart",)):
        return None
    if restart == "no":
        return context.finding("BW-OPS-001", "restart is no, on purpose as it seems", ("restart",), None, "low")
    if not context.role.daemon:
        message = "has no restart policy; nothing shows whether it runs for ever, and a job would run again and again"
        return context.finding("BW-OPS-001", message, (), None, "low")
    file = context.file_for(("restart",))
    reason = "starts again after a crash and after a reboot, and stays down when it was stopped by hand"
    fix = context.change(
        "BW-OPS-001", file, [context.set("unless-stopped", "restart")], "restart: unless-stopped", reason
    )
    return context.finding("BW-OPS-001", "has no restart policy", (), fix)


def check_logging(context: Context) -> Finding | None:
    """BW-OPS-002: logs are rotated. A driver that the engine's owner chose is left alone."""
    if context.role.lifetime == "job":
        return None
    driver, options = context.service.logging
    host = context.stack.host
    default = host.log_driver if host is not None else ""
    if (driver or default or "json-file") not in _UNBOUNDED or "max-size" in options:
        return None
    if context.service.is_unknown(("logging",)):
        return None
    size, count = LOG_OPTIONS["max-size"], LOG_OPTIONS["max-file"]
    file = context.file_for(("logging",))
    if context.service.get(("logging",)) is None:
        edits = [context.set({"driver": "json-file", "options": dict(LOG_OPTIONS)}, "logging")]
    else:
        edits = [
            context.set(value, "logging", "options", key) for key, value in LOG_OPTIONS.items() if key not in options
        ]
        if driver is None:
            edits.insert(0, context.set("json-file", "logging", "driver"))
    reason = f"{count} files of {size} at most, for each container"
    fix = context.change("BW-OPS-002", file, edits, f"logging: max-size {size}, max-file {count}", reason)
    return context.finding("BW-OPS-002", "its log grows for ever", ("logging",), fix)


def check_grace(context: Context) -> Finding | None:
    """BW-OPS-003: a service that keeps state gets the time to stop in order."""
    wanted = GRACE.get(context.kind)
    if wanted is None or not context.role.daemon or context.service.is_unknown(("stop_grace_period",)):
        return None
    current = context.service.stop_grace_period
    if current is not None and (current >= wanted or context.kind != "temporal"):
        return None
    text = format_duration(wanted)
    reasons = {
        "temporal": "drains its shards and closes its connections within seconds; 60 s is the restart procedure's",
        "postgres": "writes a checkpoint before it stops, so that the next start needs no recovery",
        "redis": "writes its snapshot before it stops",
        "worker": "ends the activities at hand, which would be retried otherwise",
    }
    file = context.file_for(("stop_grace_period",))
    edits = [context.set(text, "stop_grace_period")]
    fix = context.change("BW-OPS-003", file, edits, f"stop_grace_period: {text}", reasons[context.kind])
    message = (
        "is killed 10 s after the stop signal"
        if current is None
        else f"is killed {format_duration(current)} after the stop signal"
    )
    return context.finding("BW-OPS-003", message, ("stop_grace_period",), fix)


def check_start_order(context: Context) -> Finding | None:
    """BW-OPS-004: what a service needs is healthy, or has ended well, before it starts.

    Only the short form is changed; conditions that somebody wrote stay. A dependency without a health check keeps
    ``service_started``: Compose refuses to wait for a health that does not exist.
    """
    stack, service = context.stack, context.service
    written = service.depends_on
    if not written:
        return None
    file = context.file_for(("depends_on",))
    own = context.own(file, ("depends_on",))
    if not isinstance(own, list) or set(map(str, own)) != set(written):
        return None
    conditions: dict[str, str] = {}
    for name in map(str, own):
        role = stack.roles.get(name)
        if (
            role is not None
            and role.lifetime == "job"
            and role.kind == "temporal-schema"
            and context.kind == "temporal"
        ):
            conditions[name] = "service_completed_successfully"
        else:
            conditions[name] = "service_healthy" if name in stack.checked else "service_started"
    stronger = [name for name, condition in conditions.items() if condition != "service_started"]
    if not stronger:
        return None
    value: dict[str, Any] = {name: {"condition": condition} for name, condition in conditions.items()}
    summary = "depends_on: " + ", ".join(f"{name} {conditions[name]}" for name in stronger)
    # Compose 2.26.1 counts depends_on into the hash of a service, so the container is recreated for it.
    reason = "starts when what it needs serves"
    fix = context.change("BW-OPS-004", file, [context.set(value, "depends_on")], summary, reason)
    message = f"starts as soon as {', '.join(stronger)} exists, ready or not"
    return context.finding("BW-OPS-004", message, ("depends_on",), fix)


def check_init(context: Context) -> Finding | None:
    """BW-OPS-005: a shell or a language runtime is not process 1."""
    if context.service.flag("init") is not None or not context.role.daemon:
        return None
    words = [*(context.service.entrypoint or ()), *(context.service.command or ())]
    first = words[0].rpartition("/")[2] if words else ""
    if first not in ("sh", "bash", "ash", "node", "npm", "npx", "yarn", "pnpm", "python", "python3", "ruby"):
        return None
    return context.finding(
        "BW-OPS-005", f"{first} runs as process 1; init: true would reap and pass on signals", ("command",)
    )


def check_image(context: Context) -> Finding | None:
    """BW-OPS-006: the image is pinned by a version or a digest."""
    image = context.role.image
    if image is None or image.digest or (image.tag and "$" in image.tag) or "$" in image.repository:
        return None
    if image.tag not in (None, "", "latest"):
        return None
    shown = f"{image.name}:latest" if image.tag else f"{image.name} without a tag"
    return context.finding("BW-OPS-006", f"image {shown} is whatever was pushed last", ("image",))


def check_nofile(context: Context) -> Finding | None:
    """BW-OPS-007: a stated limit of file descriptors is above the connections."""
    soft, hard = context.service.ulimits.get("nofile", (None, None))
    stated = min(value for value in (soft, hard, 2**31) if value is not None and value > 0)
    if stated == 2**31:
        return None
    needed, why = 4096, "connections to clients and to the database"
    if context.kind == "redis":
        needed, why = 10032, "maxclients 10000 + 32 of its own"
    elif context.kind == "postgres":
        server = datastores.postgres(coupled.postgres_flags(context).values)
        needed, why = max(4096, server.max_connections * 10 if server else 0), "files and connections"
    if stated >= needed:
        return None
    file = context.file_for(("ulimits", "nofile"))
    if isinstance(context.service.get(("ulimits", "nofile")), dict):
        edits = [context.set(NOFILE, "ulimits", "nofile", key) for key in ("soft", "hard")]
    else:
        edits = [context.set(NOFILE, "ulimits", "nofile")]
    fix = context.change("BW-OPS-007", file, edits, f"ulimits.nofile: {NOFILE}", f"above {needed} for {why}")
    return context.finding(
        "BW-OPS-007", f"nofile {stated} is below the {needed} that it may need", ("ulimits", "nofile"), fix
    )
