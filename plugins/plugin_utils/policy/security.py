# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Privileges, exposure and secrets (BW-SEC-*). Mostly reports: only what is known to work is changed."""

from __future__ import annotations

import re

from ..compose.edits import Edit
from .context import Context
from .model import Finding

_SECRET_NAME = (
    r"(?i)(^|_)(password|passwd|pwd|passphrase|secret|token|api_?key|private_?key|access_?key|secret_?key"
    r"|credentials?)($|_)"
)
_NOT_SECRET = r"(?i)_(file|path|name|url|host|ttl|length|id|expiry|expires|policy|enabled|type)$"
_URL_PASSWORD = r"(?i)^[a-z][a-z0-9+.-]*://[^/\s:@]*:([^/\s@]+)@"
_LOOPBACK = ("127.", "::1", "[::1]", "localhost")
_STRONG_CAPABILITIES = frozenset(
    {"ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO", "NET_ADMIN", "DAC_READ_SEARCH", "BPF", "SYS_BOOT"}
)
_STORES = {"postgres": (5432,), "redis": (6379,), "pgbouncer": (5432, 6432), "temporal": ()}

# Kinds whose official images are known to work with it: they start as an ordinary user or give up root by setuid
# calls (gosu, su-exec), not by a setuid program.
_NO_NEW_PRIVILEGES = frozenset({"temporal", "temporal-schema", "temporal-ui", "postgres", "redis", "pgbouncer"})

# Kinds whose images run as an ordinary user, on ports above 1024, and own what they write.
_WITHOUT_CAPABILITIES = frozenset({"temporal", "temporal-ui"})


def _runs_as_root(context: Context) -> bool:
    """Say whether the file makes the service run as root."""
    user = (context.service.text("user") or "").partition(":")[0]
    return user in ("0", "root")


def check_new_privileges(context: Context) -> Finding | None:
    """BW-SEC-001: no process gains privileges."""
    options = [str(item).replace("=", ":").replace(" ", "") for item in context.service.strings("security_opt")]
    if any(item in ("no-new-privileges", "no-new-privileges:true") for item in options):
        return None
    if context.service.flag("privileged"):
        return None
    message = "may gain privileges through setuid programs"
    if any(item == "no-new-privileges:false" for item in options):
        return context.finding("BW-SEC-001", f"{message}, on purpose as it seems", ("security_opt",), None, "low")
    if context.kind not in _NO_NEW_PRIVILEGES:
        because = "an unknown image may need sudo or another setuid program"
        return context.finding("BW-SEC-001", f"{message}; {because}", (), None, "low")
    file = context.file_for(("security_opt",))
    edit = Edit("append", context.path("security_opt"), "no-new-privileges:true")
    reason = "known to work with this image: it needs no setuid program"
    fix = context.change("BW-SEC-001", file, [edit], "security_opt: no-new-privileges:true", reason)
    return context.finding("BW-SEC-001", message, (), fix)


def check_capabilities(context: Context) -> Finding | None:
    """BW-SEC-002: capabilities are dropped where none is needed."""
    service = context.service
    if service.strings("cap_drop") or service.flag("privileged") or not context.role.daemon:
        return None
    message = "has the engine's default capabilities"
    if context.kind not in _WITHOUT_CAPABILITIES or _runs_as_root(context) or service.strings("cap_add"):
        because = "which ones its image needs to start is not in the file"
        if context.kind in ("postgres", "redis"):
            because = "its entry point starts as root to hand over the volume, and needs some"
        return context.finding("BW-SEC-002", f"{message}; {because}", (), None, "info")
    file = context.file_for(("cap_drop",))
    reason = "runs as an ordinary user on ports above 1024, and needs none"
    fix = context.change("BW-SEC-002", file, [Edit("append", context.path("cap_drop"), "ALL")], "cap_drop: ALL", reason)
    return context.finding("BW-SEC-002", message, (), fix)


def check_read_only(context: Context) -> Finding | None:
    """BW-SEC-003: the root file system is read-only."""
    if context.service.flag("read_only") or not context.role.daemon:
        return None
    return context.finding("BW-SEC-003", "can write to its own root file system")


def check_user(context: Context) -> Finding | None:
    """BW-SEC-004: the service does not run as root because the file says so."""
    return context.finding("BW-SEC-004", "runs as root", ("user",)) if _runs_as_root(context) else None


def check_privileged(context: Context) -> Finding | None:
    """BW-SEC-005: no privileged container."""
    if not context.service.flag("privileged"):
        return None
    return context.finding(
        "BW-SEC-005", "is privileged: it has every device and capability of the host", ("privileged",)
    )


def check_socket(context: Context) -> Finding | None:
    """BW-SEC-006: the engine's socket stays outside."""
    for index, volume in enumerate(context.service.volumes):
        if volume.source.endswith(("docker.sock", "containerd.sock", "podman.sock")):
            mode = " (read-only does not help)" if volume.read_only else ""
            return context.finding("BW-SEC-006", f"mounts {volume.source}{mode}", ("volumes", index))
    return None


def check_namespaces(context: Context) -> Finding | None:
    """BW-SEC-007: no namespace of the host."""
    shared = [
        key for key in ("network_mode", "pid", "ipc", "uts", "userns_mode") if context.service.text(key) == "host"
    ]
    if not shared:
        return None
    names = ", ".join(key.removesuffix("_mode") for key in shared)
    return context.finding("BW-SEC-007", f"shares the host's {names} namespace", (shared[0],))


def check_ports(context: Context) -> Finding | None:
    """BW-SEC-008: data stores are not published on every address."""
    if context.kind not in _STORES:
        return None
    wide = [
        port
        for port in context.service.ports
        if port.published and not port.host_ip.startswith(_LOOPBACK) and "$" not in port.host_ip
    ]
    if not wide:
        return None
    first = wide[0]
    where = first.host_ip or "every address"
    shown = ", ".join(sorted({port.published for port in wide}))
    severity = "medium" if context.kind == "temporal" else "high"
    finding = context.finding(
        "BW-SEC-008", f"publishes {shown} on {where} of the host, past its firewall", ("ports", 0), None, severity
    )
    return finding._replace(line=first.line or finding.line)


def check_secrets(context: Context) -> list[Finding]:
    """BW-SEC-009: no secret as plain text; the value itself is never shown."""
    found = []
    for name, value in context.environment.items():
        named = re.search(_SECRET_NAME, name) and not re.search(_NOT_SECRET, name)
        if not value or not (named or re.match(_URL_PASSWORD, value)):
            continue
        text = _literal(context, name)
        if text and "$" not in text:
            what = "a secret" if named else "a password in its URL"
            message = f"{name} holds {what} as plain text"
            found.append(context.finding("BW-SEC-009", message, ("environment", name)))
    return found


def _literal(context: Context, name: str) -> str | None:
    """Return the text that a file writes for a variable, None when it only passes one on."""
    origin = context.service.origin(("environment", name))
    value = context.environment.get(name)
    if origin is None or value is None:
        return None
    own = context.own(origin[0], ("environment",))
    if isinstance(own, dict):
        raw = own.get(name)
        return None if raw is None else str(raw)
    if isinstance(own, list):
        return next((str(item).partition("=")[2] for item in own if str(item).partition("=")[0] == name), value)
    return value


def check_confinement(context: Context) -> Finding | None:
    """BW-SEC-010: no strong capability is added and no confinement lifted."""
    added = [item.upper().removeprefix("CAP_") for item in context.service.strings("cap_add")]
    strong = [item for item in added if item in _STRONG_CAPABILITIES]
    if strong:
        return context.finding("BW-SEC-010", f"has the capabilities {', '.join(strong)}", ("cap_add",))
    lifted = [
        item for item in context.service.strings("security_opt") if item.replace("=", ":").endswith(":unconfined")
    ]
    if lifted:
        return context.finding("BW-SEC-010", f"has its confinement lifted: {', '.join(lifted)}", ("security_opt",))
    return None
