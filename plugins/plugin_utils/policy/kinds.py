# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service is: its kind, its generation of images, and whether it runs for ever.

The image tells the kind; a label ``breakwater.kind`` or the settings state it where the image does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from ..compose.short_forms import ImageRef, parse_image
from ..lean_typing import NamedTuple
from .model import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The label by which a compose file states the kind of a service.
LABEL = "breakwater.kind"

# Patterns are compiled when they are first used: a scan of one file needs few of them.
_TEMPORAL = r"temporal(io)?[-_.]?(server|auto-?setup)|auto-?setup"
_TEMPORAL_UI = r"temporal(io)?[-_.]?(ui|web)(-server)?"
_ADMIN_TOOLS = r"(temporal(io)?[-_.]?)?admin-?tools"
_POSTGRES = (
    r"postgres(ql)?|pgautoupgrade|postgis|timescaledb(-ha)?|pgvector|pgvecto-rs|crunchy-postgres(-gis)?"
    r"|postgresql-\d+(-\w+)?|spilo-\d+"
)
_REDIS = ("redis", "valkey", "redis-stack", "redis-stack-server", "valkey-bundle")
_PGBOUNCER = r"pgbouncer(-\w+)?"
_VARIABLE = r"\$\{[^}]*\}|\$\w+"
_VERSION = r"v?(\d{1,4})(?:\.(\d+))?(?:\.(\d+))?(?!\d)"
_JOB_NAME = (
    r"(^|[-_.])(init|setup|migrat(e|ion|ions|or)|seed(er)?|bootstrap|provision(er)?|schema|create|install"
    r"|createbuckets?)([-_.\d]|$)"
)
_SHELL = r"sleep\s+(infinity|inf|\d{4,})|tail\s+-f\s+/dev/null"
_CLIENTS = r"(psql|pg_\w+|createdb|redis-cli|redis-benchmark|valkey-cli|tctl|temporal|curl|wget|echo|true|cat|ls|cp|nc)"
_CLIENT = rf"(\S*/)?{_CLIENTS}(\s|$)"
_SHELL_CLIENT = rf"\S*sh\s+-\S+\s+['\"]?(\S*/)?{_CLIENTS}\s"
_OTHER_PROGRAM = rf"(\S*/)?({_CLIENTS}|sleep|tail|watch|crond?|top)(\s|$)"
#: How the servers of the known kinds are started from a shell.
_SERVERS = {
    "temporal": r"temporal-server|entrypoint|/etc/temporal/|auto-setup",
    "temporal-ui": r"ui-server|entrypoint",
    "postgres": r"\bpostgres\b|entrypoint",
    "redis": r"-server\b|entrypoint",
    "pgbouncer": r"pgbouncer|entrypoint",
}
_SERVICES_OF_TEMPORAL = ("frontend", "history", "matching", "worker")


class Role(NamedTuple):
    """What a service is.

    Args:
        kind: one of :data:`.model.KINDS`.
        image: its image, None when it is only built.
        version: version by the tag, None when the tag does not tell it.
        generation: of Temporal's images: ``old`` (up to 1.29, docker-builds), ``new`` (from 1.30), empty if unknown.
        lifetime: ``daemon``, ``job`` (ends by itself), ``shell`` (idles for a person) or ``unknown``.
        flavour: who made the image, where values are set another way: ``bitnami``, ``timescale``, ``supabase``,
            ``redis-stack``, ``valkey``, ``auto-setup``, or ``official``.
        runs: the Temporal services within (``frontend``, ...), empty for other kinds.
    """

    kind: str
    image: ImageRef | None = None
    version: tuple[int, ...] | None = None
    generation: str = ""
    lifetime: str = "unknown"
    flavour: str = "official"
    runs: tuple[str, ...] = ()

    @property
    def daemon(self) -> bool:
        """True when it runs for ever, as far as the file shows."""
        return self.lifetime == "daemon"


def version_of(tag: str | None) -> tuple[int, ...] | None:
    """Read a version from a tag (``1.31.2``, ``17-alpine``, ``latest-pg16`` has none); None when it tells none."""
    match = re.match(_VERSION, tag or "")
    if match is None:
        return None
    return tuple(int(part) for part in match.groups() if part is not None)


@lru_cache(maxsize=1024)
def kind_of_image(image: ImageRef) -> str:
    """Return the kind of an image, ``other`` when it is not one that the policy knows.

    A bare ``server`` or ``ui`` counts only where the path says whose it is.
    """
    name = re.sub(_VARIABLE, "", image.name).lower()
    temporals = "temporal" in image.repository.rpartition("/")[0] or image.registry == "breakwater.test"
    if re.fullmatch(_TEMPORAL, name) or (temporals and name == "server"):
        return "temporal"
    if re.fullmatch(_TEMPORAL_UI, name) or (temporals and name in ("ui", "web")):
        return "temporal-ui"
    if re.fullmatch(_ADMIN_TOOLS, name):
        return "temporal-schema"
    if re.fullmatch(_POSTGRES, name):
        return "postgres"
    if name in _REDIS:
        return "redis"
    if re.fullmatch(_PGBOUNCER, name):
        return "pgbouncer"
    return "other"


def _flavour(image: ImageRef) -> str:
    """Return whose image it is, where that changes how values are set."""
    for maker in ("bitnami", "timescale", "supabase"):
        if maker in image.repository:
            return maker
    if image.name.startswith("redis-stack"):
        return "redis-stack"
    if image.name.startswith("valkey"):
        return "valkey"
    return "auto-setup" if "auto" in image.name and "setup" in image.name else "official"


def _words(value: Any) -> str:
    """Join a command or entry point, list or text, into one text."""
    if isinstance(value, (list, tuple)):
        return " ".join(str(part) for part in value if part is not None)
    return str(value) if value is not None else ""


def waited_for_to_end(services: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the services whose completion another one waits for: they are jobs."""
    found: set[str] = set()
    for config in services.values():
        depends = config.get("depends_on")
        if isinstance(depends, dict):
            for name, options in depends.items():
                if isinstance(options, dict) and options.get("condition") == "service_completed_successfully":
                    found.add(str(name))
    return frozenset(found)


def depended_on(services: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the services that another one needs while it runs."""
    found: set[str] = set()
    ended = waited_for_to_end(services)
    for config in services.values():
        depends = config.get("depends_on")
        if isinstance(depends, (dict, list)):
            found.update(str(name) for name in depends)
    return frozenset(found - ended)


def lifetime_of(name: str, kind: str, config: Mapping[str, Any], ended: Iterable[str], needed: Iterable[str]) -> str:
    """Say whether a service runs for ever.

    Only what the file shows counts: a job that is given a restart policy runs again and again, so that doubt means
    ``unknown``, and nothing is changed that depends on it.

    Args:
        name: of the service.
        kind: of the service.
        config: its effective configuration.
        ended, needed: services that others wait for to end, and that others need while they run.
    """
    if name in ended:
        return "job"
    command = (_words(config.get("entrypoint")) + " " + _words(config.get("command"))).strip()
    if kind == "temporal-schema":
        return "shell" if not command or re.search(_SHELL, command) else "job"
    if kind not in ("worker", "other"):
        return _lifetime_of_known(name, kind, command)
    restart = str(config.get("restart", "") or "")
    ends_by_itself = restart == "no" or restart.startswith("on-failure")
    serves = bool(config.get("ports") or config.get("expose") or config.get("healthcheck"))
    if re.search(_JOB_NAME, name) and not restart.startswith(("always", "unless-stopped")) and not config.get("ports"):
        return "job"
    if ends_by_itself and command and not serves:
        return "job"
    if re.search(_SHELL, command):
        return "shell"
    stays = serves or name in needed or restart in ("always", "unless-stopped") or kind == "worker"
    return "daemon" if stays and restart != "no" else "unknown"


def _lifetime_of_known(name: str, kind: str, command: str) -> str:
    """Say whether a known image runs its server: it is often used for its client, or as a shell, only.

    Only what is known to be something else counts; an own entry point usually ends in the server.
    """
    if re.match(_OTHER_PROGRAM, command):
        return "job" if re.match(_CLIENT, command) else "shell"
    in_shell = re.match(r"(\S*/)?(ba|a)?sh\b", command)
    if in_shell and re.match(_SHELL_CLIENT, command):
        return "job"
    if in_shell and not re.search(_SERVERS[kind], command):
        return "job" if re.search(_JOB_NAME, name) else "unknown"
    return "daemon"


def _temporal_services(environment: Mapping[str, Any], generation: str) -> tuple[str, ...]:
    """Return the Temporal services that a container runs (``TEMPORAL_SERVICES``, older images ``SERVICES``)."""
    text = environment.get("TEMPORAL_SERVICES") or (environment.get("SERVICES") if generation != "new" else None)
    named = [part for part in re.split(r"[:,\s]+", str(text or "")) if part]
    return tuple(named) or _SERVICES_OF_TEMPORAL


def _is_worker(name: str, config: Mapping[str, Any], environment: Mapping[str, Any]) -> bool:
    """Say whether an unknown image is a Temporal worker: it speaks to Temporal and calls itself one."""
    speaks = any(key.startswith("TEMPORAL") for key in environment)
    named = "worker" in name.lower() or "worker" in _words(config.get("command")).lower()
    return speaks and named


def identify(
    name: str,
    config: Mapping[str, Any],
    environment: Mapping[str, Any],
    labels: Mapping[str, Any],
    stated: str | None,
    ended: Iterable[str],
    needed: Iterable[str],
) -> Role:
    """Say what a service is.

    Args:
        name: of the service.
        config: its effective configuration.
        environment, labels: the same, as mappings.
        stated: kind by the settings; it wins over the label, which wins over the image.
        ended, needed: see :func:`lifetime_of`.
    """
    image_text = config.get("image")
    image = parse_image(str(image_text)) if isinstance(image_text, str) and image_text else None
    label = str(labels.get(LABEL) or "")
    kind = stated or (label if label in KINDS else "") or (kind_of_image(image) if image else "other")
    if kind == "other" and _is_worker(name, config, environment):
        kind = "worker"
    version = version_of(image.tag) if image else None
    flavour = _flavour(image) if image else "official"
    lifetime = lifetime_of(name, kind, config, ended, needed)
    if kind in _SERVERS and lifetime != "daemon" and not stated and label != kind:
        kind = "other"  # the image of a server that runs something else has neither its data nor its health
    generation = ""
    runs: tuple[str, ...] = ()
    if kind in ("temporal", "temporal-schema"):
        if flavour == "auto-setup" or (version and version < (1, 30)):
            generation = "old"
        elif version and len(version) > 1:
            generation = "new"
    if kind == "temporal":
        runs = _temporal_services(environment, generation)
    return Role(kind, image, version, generation, lifetime, flavour, runs)
