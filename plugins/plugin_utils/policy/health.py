# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks that tell the truth, with what each image has inside (BW-HLT-*)."""

from __future__ import annotations

import re

from ...module_utils._units import format_duration
from ..lean_typing import NamedTuple
from .context import Context
from .flags import is_plain
from .kinds import Role
from .model import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NEVER_FAILS = r"(\|\||;)\s*(exit\s+0|true|:|echo\b.*)\s*$"
_NOTHING_ASKED = r"^\s*(true|exit\s+0|:|echo\b.*|sleep\b.*|ls\b.*|test\s+-[def]\b.*|\[\s+-[def]\b.*)\s*$"
_OPEN_PORT = r"\b(nc|ncat|netcat)\b.*\s-\w*z|</?dev/tcp/|/dev/tcp/"
_PROCESS = r"\b(pgrep|pidof|ps\s)"
_LIES_ANYWHERE = (
    (_NEVER_FAILS, "it never fails: whatever it finds, it ends with success"),
    (_NOTHING_ASKED, "it asks nothing of the service"),
    (_PROCESS, "a process that exists need not serve"),
)
_PG_ISREADY = r"\bpg_isready\b"
_PG_HOST = r"\s(-h|--host)\b|\s-h\S|\bPGHOST="
_REDIS_PING = r"(?i)\b(redis|valkey)-cli\b(?P<options>[^|&;]*?)\s(ping|incr\s+\S+)\s*$"
_LOGS_IN = r"\s(-a|--pass|--user|-u)\b|REDISCLI_AUTH"
_PLAIN_WORD = r"[\w@%+=:,./${}-]+"


class Timing(NamedTuple):
    """When a probe runs: every ``interval``, for ``timeout`` at most; ``retries`` failures make it unhealthy."""

    interval: float
    timeout: float
    retries: int
    start_period: float


# Short enough that a fault shows within a minute, and enough retries that a restart of the database (a few seconds)
# does not flap. auto-setup gets twice the start period: it creates the schema first. During
# the start period failures do not count: schema set-up, recovery and loading take their time.
TIMINGS = {
    "temporal": Timing(10, 5, 4, 60),
    "temporal-ui": Timing(15, 5, 3, 20),
    "postgres": Timing(10, 5, 3, 60),
    "redis": Timing(10, 3, 3, 30),
}

#: Seconds after which a fault has to show.
SLOWEST = 120


def timing_for(context: Context) -> Timing:
    """Return when a probe of a service runs."""
    timing = TIMINGS[context.kind]
    return timing._replace(start_period=120) if context.role.flavour == "auto-setup" else timing


#: Settings that make a plain probe fail against a healthy server: TLS and authorisation.
_SECURED = r"^TEMPORAL_(TLS_|JWT_|AUTH_)|^TEMPORAL_AUTH"


class Probe(NamedTuple):
    """A health check that is known to tell the truth, or why there is none."""

    test: tuple[str, ...]
    proves: str
    missing_because: str = ""


def _none(reason: str) -> Probe:
    return Probe((), "", reason)


def probe_for(context: Context) -> Probe:
    """Choose the health check of a service by its kind and the generation of its image."""
    chooser = {
        "temporal": _temporal,
        "temporal-ui": _temporal_ui,
        "postgres": _postgres,
        "redis": _redis,
    }.get(context.kind)
    if chooser is not None:
        return chooser(context)
    if context.kind == "pgbouncer":
        return _none("which client the image has inside differs from maker to maker")
    return _none("only who wrote the program knows what serving means for it")


def _address(context: Context) -> str:
    """Return where a Temporal server listens within its container: the entry point binds to the container's address."""
    bound = context.environment.get("BIND_ON_IP") or ""
    return "127.0.0.1" if bound in ("0.0.0.0", "127.0.0.1") else "$$(hostname)"


def uses_command_line(role: Role) -> bool:
    """Say whether the image has the temporal command line inside: those up to 1.29 have, later ones do not."""
    return role.generation == "old"


def _temporal(context: Context) -> Probe:
    """Ask for the system namespace: the frontend answers it from the database."""
    environment, role = context.environment, context.role
    if "frontend" not in role.runs:
        return _none(
            f"it runs only {', '.join(role.runs)}, which answer gRPC alone, and the image has no client for it"
        )
    if any(re.search(_SECURED, key) and value for key, value in environment.items()):
        return _none("TLS or authorisation is on, and the probe would need a certificate or a token")
    address = _address(context)
    proves = "the frontend answers from the database: it fails when the process hangs and when the database is gone"
    if uses_command_line(role):
        if role.version is not None and role.version < (1, 21):
            return _none("its command line is older than the command that asks the database")
        port = environment.get("FRONTEND_GRPC_PORT") or "7233"
        return Probe(
            ("CMD-SHELL", f"temporal operator namespace describe --address {address}:{port} temporal-system"), proves
        )
    port = environment.get("FRONTEND_HTTP_PORT") or "7243"
    url = f"http://{address}:{port}/api/v1/namespaces/temporal-system"
    if "$" in address:
        return Probe(("CMD-SHELL", f"wget -q -T 4 -O /dev/null {url}"), proves)
    return Probe(("CMD", "wget", "-q", "-T", "4", "-O", "/dev/null", url), proves)


def _temporal_ui(context: Context) -> Probe:
    """Ask the UI's server for a page."""
    environment = context.environment
    if environment.get("TEMPORAL_UI_SERVER_TLS_CERT") or environment.get("TEMPORAL_SERVER_TLS_CERT"):
        return _none("it serves TLS, and the probe would need the certificate")
    port = environment.get("TEMPORAL_UI_PORT") or "8080"
    url = f"http://127.0.0.1:{port}/healthz"
    return Probe(("CMD", "wget", "-q", "-T", "4", "-O", "/dev/null", url), "the server answers HTTP")


def _raw_variable(context: Context, *names: str) -> str | None:
    """Return a variable as the file writes it, so that a probe may use the same ``${NAME}``."""
    for name in names:
        if name not in context.environment:
            continue
        own = context.own(context.file_for(("environment", name)), ("environment",))
        if isinstance(own, dict):
            value = own.get(name)
        else:
            pairs = [str(item).partition("=") for item in own or ()]
            value = next((text for key, _sign, text in pairs if key == name), None)
        return str(value) if value is not None else context.environment[name]
    return None


def _listens_on_loopback(context: Context) -> bool:
    """Say whether PostgreSQL answers at 127.0.0.1: the image listens everywhere unless it is told otherwise."""
    words = " ".join(context.service.command or ())
    stated = re.search(r"listen_addresses=['\"]?([^\s'\"]*)", words)
    return stated is None or any(part in stated[1] for part in ("*", "0.0.0.0", "127.0.0.1", "localhost"))


def _postgres(context: Context) -> Probe:
    """Ask over TCP: while the data directory is initialised the server listens on its socket only."""
    if not _listens_on_loopback(context):
        return _none("it does not listen on 127.0.0.1")
    user = _raw_variable(context, "POSTGRES_USER", "POSTGRESQL_USERNAME") or "postgres"
    database = _raw_variable(context, "POSTGRES_DB", "POSTGRESQL_DATABASE") or user
    port = context.environment.get("PGPORT") or context.environment.get("POSTGRESQL_PORT_NUMBER")
    words = ["pg_isready", "-q", "-h", "127.0.0.1", *(["-p", port] if port else []), "-U", user, "-d", database]
    if not is_plain(words):
        return _none("user or database have characters that need quoting")
    return Probe(("CMD", *words), "it accepts connections over TCP, which it does not while it initialises")


def _redis_login(context: Context) -> str | None:
    """Return what a probe writes before ``redis-cli`` to log in: nothing, a variable, or None when it cannot know.

    An answer of NOAUTH is not a PONG, so that a probe without the password would call a healthy server unhealthy.
    """
    words = [*(context.service.entrypoint or ()), *(context.service.command or ())]
    environment = context.environment
    if environment.get("REDISCLI_AUTH"):
        return ""
    if environment.get("REDIS_PASSWORD"):
        return 'REDISCLI_AUTH="$$REDIS_PASSWORD" '
    flags = " ".join(
        [*words, str(environment.get("REDIS_EXTRA_FLAGS") or ""), str(environment.get("REDIS_ARGS") or "")]
    )
    secured = re.search(r"requirepass|aclfile|\.conf\b|--user\b|--port\s+0|--tls-port", flags)
    in_file = any(name.endswith("_FILE") and "PASSWORD" in name for name in environment)
    return None if secured or in_file else ""


def _redis(context: Context) -> Probe:
    """Ask for PONG and look at the answer: while it loads its data Redis answers LOADING, and the client exits 0."""
    client = "valkey-cli" if context.role.flavour == "valkey" else "redis-cli"
    login = _redis_login(context)
    if login is None:
        return _none("it may ask for a password, which the probe would have to show")
    return Probe(
        ("CMD-SHELL", f"{login}{client} ping | grep -q PONG"), "it answers commands, which it does not while loading"
    )


def _lie(context: Context, test: list[str]) -> str:
    """Say why a health check does not tell the truth, empty when nothing speaks against it."""
    text = " ".join(test[1:]) if test[:1] in (["CMD"], ["CMD-SHELL"]) else " ".join(test)
    for pattern, reason in _LIES_ANYWHERE:
        if re.search(pattern, text):
            return reason
    if re.search(_OPEN_PORT, text) and context.kind in TIMINGS:
        return "an open port stays open when the process behind it hangs"
    if context.kind == "temporal":
        return _lie_about_temporal(context, text)
    if context.kind == "postgres" and re.search(_PG_ISREADY, text) and not re.search(_PG_HOST, text):
        return "over the socket it is green while the data directory is still initialised"
    if context.kind == "redis" and re.search(_REDIS_PING, text):
        return "redis-cli ends with success when Redis answers LOADING or an error"
    return ""


def _lie_about_temporal(context: Context, text: str) -> str:
    """Say why a check of Temporal cannot tell the truth: it asks what needs no database, or with what is not there."""
    if "/system-info" in text:
        return "system-info answers from memory, and is green when the database is gone"
    tool = re.search(r"(?:^|[\s;&|])(tctl|temporal|curl|grpc_health_probe|grpc-health-probe)\s", text + " ")
    if context.role.generation != "new" or tool is None:
        return ""
    mounted = any(volume.target.endswith(tool[1]) for volume in context.service.volumes)
    return "" if mounted else f"the image has no {tool[1]} inside, so that it fails for ever"


def _section(probe: Probe, timing: Timing) -> dict[str, Any]:
    """Return a whole health check as it is written."""
    return {
        "test": list(probe.test),
        "interval": format_duration(timing.interval),
        "timeout": format_duration(timing.timeout),
        "retries": timing.retries,
        "start_period": format_duration(timing.start_period),
    }


def _missing(context: Context, probe: Probe) -> Finding:
    """Report a service without a health check, with the one to add if there is one."""
    if not probe.test:
        severity = "low" if context.kind in ("worker", "other") else "medium"
        return context.finding("BW-HLT-001", f"has no health check; {probe.missing_because}", (), None, severity)
    file = context.file_for(("healthcheck",))
    edits = [context.set(_section(probe, timing_for(context)), "healthcheck")]
    summary = "healthcheck: " + " ".join(probe.test[1:])
    fix = context.change("BW-HLT-001", file, edits, summary, probe.proves)
    return context.finding("BW-HLT-001", "has no health check", (), fix)


def check_health(context: Context) -> Finding | None:
    """BW-HLT-001 and BW-HLT-002: a daemon has a health check, and the check tells the truth."""
    if not context.role.daemon:
        return None
    check = context.service.healthcheck
    if check is None or ("test" not in check and not check["disable"]):
        return _missing(context, probe_for(context))
    if check["disable"]:
        return context.finding(
            "BW-HLT-001", "its health check is switched off, on purpose as it seems", ("healthcheck",)
        )
    lie = _lie(context, check["test"])
    if not lie:
        return None
    return _lying(context, check, lie)


def _lying(context: Context, check: dict[str, Any], lie: str) -> Finding:
    """Report a check that lies, with the least change that makes it true; its own timing is kept."""
    path = ("healthcheck", "test")
    file = context.file_for(path)
    own = context.own(file, path)
    better = _repair(context, own)
    probe = probe_for(context)
    proves = probe.proves
    if better is None:
        better = list(probe.test) if probe.test else None
    message = f"its health check lies: {lie}"
    if better is None:
        return context.finding("BW-HLT-002", f"{message}; {probe.missing_because}", path)
    edits = [context.set(better, *path)]
    if isinstance(own, list) and isinstance(better, list) and len(own) == 2 and own[:1] == better[:1] == ["CMD-SHELL"]:
        edits = [context.set(better[1], *path, 1)]
    if "start_period" not in check and context.kind in TIMINGS:
        # A check that could not fail needed none; without it the true one counts failures while the service starts.
        edits.append(context.set(format_duration(timing_for(context).start_period), "healthcheck", "start_period"))
    shown = better if isinstance(better, str) else " ".join(better[1:])
    fix = context.change("BW-HLT-002", file, edits, f"healthcheck: {shown}", proves)
    return context.finding("BW-HLT-002", message, path, fix)


def _repair(context: Context, own: Any) -> list[str] | str | None:
    """Return the written test with the one thing added that it lacks, None when it has to be replaced."""
    shell, text = _as_shell(own)
    if text is None or re.search(_NEVER_FAILS, text):
        return None
    if context.kind == "postgres" and re.search(_PG_ISREADY, text) and not re.search(_OPEN_PORT, text):
        if not _listens_on_loopback(context):
            return None
        repaired = re.sub(_PG_ISREADY, "pg_isready -h 127.0.0.1", text, count=1)
        if isinstance(own, list) and own[0] == "CMD":
            index = own.index("pg_isready") if "pg_isready" in own else None
            return None if index is None else [*own[: index + 1], "-h", "127.0.0.1", *own[index + 1 :]]
        return ["CMD-SHELL", repaired] if isinstance(own, list) else repaired
    match = re.search(_REDIS_PING, text) if context.kind == "redis" else None
    if match is None:
        return None
    before = text[: match.start()]
    if not re.search(_LOGS_IN, before + match["options"]):
        login = _redis_login(context)
        if login is None:
            return None
        before += login
    repaired = f"{before}{match[1]}-cli{match['options']} ping | grep -q PONG"
    return ["CMD-SHELL", repaired] if isinstance(own, list) or not shell else repaired


def _as_shell(own: Any) -> tuple[bool, str | None]:
    """Return whether a test runs in a shell, and its text; None when its words need quoting in a shell."""
    if isinstance(own, list):
        words = [str(word) for word in own[1:]]
        if own[:1] == ["CMD-SHELL"] and len(words) == 1:
            return True, words[0]
        return False, " ".join(words) if all(re.fullmatch(_PLAIN_WORD, word) for word in words) else None
    return True, str(own) if own is not None else None


def check_speed(context: Context) -> Finding | None:
    """BW-HLT-003: a health check shows a fault within two minutes (engine defaults: 3 times every 30 s)."""
    check = context.service.healthcheck
    if check is None or check["disable"] or "test" not in check or not context.role.daemon:
        return None
    interval, retries = check.get("interval") or 30.0, check.get("retries") or 3
    if interval * retries <= SLOWEST:
        return None
    message = f"shows a fault after {interval * retries:g} s only ({retries} x {interval:g} s)"
    path = ("healthcheck", "retries" if "retries" in check else "interval")
    return context.finding("BW-HLT-003", message, path)
