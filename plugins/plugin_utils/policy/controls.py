# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of controls: what a hardened stack looks like, as data.

A control fixes where the fix is safe on a running stack and reports where it is not. CIS numbers are those of the
CIS Docker Benchmark 1.6.
"""

from __future__ import annotations

from .model import KINDS, Control

_SERVICES = "https://docs.docker.com/reference/compose-file/services/#"
_DEPLOY = "https://docs.docker.com/reference/compose-file/deploy/#resources"
_RESOURCES = "https://docs.docker.com/engine/containers/resource_constraints/"
_CIS = " (CIS Docker Benchmark 1.6, {})"
_PG_RESOURCE = "https://www.postgresql.org/docs/current/runtime-config-resource.html"
_GO_GC = "https://go.dev/doc/gc-guide#Memory_limit"

_ALL = frozenset(KINDS)
_DAEMONS = _ALL - {"temporal-schema"}
_KNOWN = _DAEMONS - {"worker", "other"}
_TEMPORAL = frozenset({"temporal"})
_POSTGRES = frozenset({"postgres"})
_REDIS = frozenset({"redis"})


def _fix(
    number: str, title: str, severity: str, kinds: frozenset[str], impact: str, link: str, changes: str, why: str
) -> Control:
    return Control(f"BW-{number}", title, why, severity, kinds, "fix", impact, link, changes)


def _report(
    number: str, title: str, severity: str, kinds: frozenset[str], link: str, why: str, because: str
) -> Control:
    return Control(f"BW-{number}", title, why, severity, kinds, "report", "none", link, "", because)


_LIMITS = (
    _fix(
        "LIM-001",
        "Memory limit",
        "high",
        _ALL,
        "recreate",
        _RESOURCES + "#limit-a-containers-access-to-memory" + _CIS.format("5.11"),
        "mem_limit or deploy.resources.limits.memory",
        "Without a limit one container can take all of the host's memory, and the kernel then kills whichever process "
        "it likes, often the database. With one, the container at fault is the one that is stopped.",
    ),
    _fix(
        "LIM-002",
        "Memory reservation",
        "low",
        _DAEMONS,
        "recreate",
        _SERVICES + "mem_reservation",
        "mem_reservation or deploy.resources.reservations.memory",
        "The reservation is what the kernel leaves to a container first when the host runs short, so that the store "
        "of record is not squeezed by a neighbour that is far below its own limit.",
    ),
    _fix(
        "LIM-003",
        "CPU limit",
        "medium",
        _DAEMONS,
        "recreate",
        _SERVICES + "cpus" + _CIS.format("5.12"),
        "cpus or deploy.resources.limits.cpus",
        "A retry storm in one container otherwise starves every other one of CPU, the health checks too, so that the "
        "whole stack looks dead when one part is busy.",
    ),
    _fix(
        "LIM-004",
        "Process limit",
        "medium",
        _DAEMONS,
        "recreate",
        _SERVICES + "pids_limit" + _CIS.format("5.29"),
        "pids_limit or deploy.resources.limits.pids",
        "A fork bomb or a thread leak is otherwise a fault of the whole host: once its process table is full, nobody "
        "can log in to repair it.",
    ),
    _report(
        "LIM-005",
        "Limits fit the host",
        "high",
        _ALL,
        _RESOURCES,
        "Memory cannot be shared out twice: limits that add up to more than the host has are promises that the kernel "
        "breaks at the worst moment, by killing.",
        "which service gets less is a decision; the arithmetic and the smallest change that fits are shown",
    ),
)

_HEALTH = (
    _fix(
        "HLT-001",
        "Health check that tells the truth",
        "high",
        _DAEMONS,
        "recreate",
        _SERVICES + "healthcheck" + _CIS.format("5.27"),
        "healthcheck",
        "A container without a health check counts as well while its process exists. Compose, monitoring and people "
        "then act on a state that nobody looked at.",
    ),
    _fix(
        "HLT-002",
        "Health check that lies",
        "high",
        _DAEMONS,
        "recreate",
        "https://github.com/temporalio/temporal/issues/453",
        "healthcheck.test",
        "An open port, a process that exists or a reply that is not looked at says nothing about service: a stopped "
        "process keeps its port open, and Redis answers while it still loads its data.",
    ),
)

_OPERATIONS = (
    _fix(
        "OPS-001",
        "Restart policy",
        "medium",
        _DAEMONS,
        "recreate",
        _SERVICES + "restart" + _CIS.format("5.15"),
        "restart: unless-stopped",
        "The default is no: a daemon that dies at night, and all of them after a reboot, stay down until a person "
        "comes.",
    ),
    _fix(
        "OPS-002",
        "Log rotation",
        "medium",
        _DAEMONS,
        "recreate",
        "https://docs.docker.com/engine/logging/drivers/json-file/",
        "logging.options max-size and max-file",
        "The json-file driver keeps everything for ever by default. A retry storm writes gigabytes of log in hours, "
        "and a full disk stops the database first.",
    ),
    _fix(
        "OPS-003",
        "Stop grace period",
        "medium",
        frozenset({"temporal", "postgres", "redis", "worker"}),
        "recreate",
        _SERVICES + "stop_grace_period",
        "stop_grace_period",
        "After 10 s, the default, a container is killed. Temporal drains its shards, PostgreSQL writes a checkpoint "
        "and Redis its snapshot when they are given the time; killed, they recover at the next start instead.",
    ),
    _fix(
        "OPS-004",
        "Start order by health",
        "medium",
        _ALL,
        "none",
        _SERVICES + "depends_on",
        "depends_on conditions",
        "A plain depends_on waits only until the other container exists. Clients that come up before their database "
        "or before Temporal fail, retry, or silently never poll.",
    ),
    _report(
        "OPS-005",
        "Init process",
        "info",
        frozenset({"worker", "other"}),
        _SERVICES + "init",
        "As process 1 a shell or a language runtime neither reaps children nor, often, passes on signals, so that a "
        "stop always takes the whole grace period and ends in a kill.",
        "images with a supervisor of their own (s6, tini, systemd) refuse to start as any other process than 1, and "
        "the file does not tell which they are",
    ),
    _report(
        "OPS-006",
        "Image pinned by version",
        "medium",
        _ALL,
        "https://docs.docker.com/build/building/best-practices/#pin-base-image-versions" + _CIS.format("5.28"),
        "Without a tag, or with latest, the next pull is an upgrade that nobody chose, and a rollback has nothing to "
        "go back to.",
        "which version runs and which one is right cannot be known from the file",
    ),
    _fix(
        "OPS-007",
        "File descriptors",
        "medium",
        frozenset({"temporal", "postgres", "redis", "pgbouncer"}),
        "recreate",
        _SERVICES + "ulimits" + _CIS.format("5.19"),
        "ulimits.nofile",
        "Every connection is a file descriptor. A stated limit below the connections that the service allows turns "
        "load into refused connections; the engine's own default is high enough and is left alone.",
    ),
)

_SECURITY = (
    _fix(
        "SEC-001",
        "No new privileges",
        "medium",
        _ALL,
        "recreate",
        _SERVICES + "security_opt" + _CIS.format("5.26"),
        "security_opt: no-new-privileges:true",
        "A process that got in cannot become root through a setuid program of the image.",
    ),
    _fix(
        "SEC-002",
        "Capabilities dropped",
        "low",
        _DAEMONS,
        "recreate",
        _SERVICES + "cap_drop" + _CIS.format("5.4"),
        "cap_drop: ALL",
        "The default set lets root in the container change owners, open raw sockets and more. Temporal and its UI run "
        "as an ordinary user and need none of it.",
    ),
    _report(
        "SEC-003",
        "Read-only root file system",
        "info",
        _DAEMONS,
        _SERVICES + "read_only" + _CIS.format("5.13"),
        "Nothing that gets in can then leave a file behind that outlives the process.",
        "which paths an image writes to at run time is not in the file; a data store with a wrong one does not start",
    ),
    _report(
        "SEC-004",
        "User",
        "medium",
        _ALL,
        _SERVICES + "user" + _CIS.format("4.1"),
        "Root in a container is root on the host as soon as anything else gives way.",
        "files in the volumes belong to the present user; another one cannot read them",
    ),
    _report(
        "SEC-005",
        "Privileged container",
        "critical",
        _ALL,
        _SERVICES + "privileged" + _CIS.format("5.5"),
        "privileged gives the container every device and every capability of the host: it is no longer a container.",
        "the image was given it for something; only its owner knows which part of it is needed",
    ),
    _report(
        "SEC-006",
        "Docker socket mounted",
        "critical",
        _ALL,
        "https://docs.docker.com/engine/security/protect-access/" + _CIS.format("5.32"),
        "Who can write to the engine's socket can start a privileged container and so owns the host; read-only mounts "
        "do not change that.",
        "the service was built around the socket; a filtering proxy in front of it is a change of design",
    ),
    _report(
        "SEC-007",
        "Host namespaces",
        "high",
        _ALL,
        _SERVICES + "network_mode" + _CIS.format("5.10, 5.16, 5.17"),
        "In the host's network, process or IPC namespace a container sees and reaches what the others keep to "
        "themselves, without any published port.",
        "the service reaches others by the host's addresses, which a bridge network does not have",
    ),
    _report(
        "SEC-008",
        "Published ports of data stores",
        "high",
        frozenset({"postgres", "redis", "pgbouncer", "temporal"}),
        "https://docs.docker.com/engine/network/packet-filtering-firewalls/" + _CIS.format("5.14"),
        "Docker opens published ports past the host's firewall (ufw, firewalld). A database on 0.0.0.0 is on the "
        "internet as soon as the host is.",
        "who connects from outside cannot be seen in the file; bind to 127.0.0.1 or drop the port when nobody does",
    ),
    _report(
        "SEC-009",
        "Secrets in plain environment",
        "medium",
        _ALL,
        "https://docs.docker.com/compose/how-tos/use-secrets/",
        "Everybody who may read the repository, docker inspect or a crash report has the password.",
        "the secret has to be moved and changed by who owns it; a tool that moves it would print it",
    ),
    _report(
        "SEC-010",
        "Added capabilities and lifted confinement",
        "high",
        _ALL,
        _SERVICES + "cap_add" + _CIS.format("5.4"),
        "SYS_ADMIN, ALL, or an unconfined seccomp or AppArmor profile is nearly as much as privileged.",
        "the image was given it for something; only its owner knows whether it still needs it",
    ),
)

_COUPLED = (
    _fix(
        "CPL-001",
        "PostgreSQL shared_buffers against the limit",
        "high",
        _POSTGRES,
        "datastore_restart",
        _PG_RESOURCE + "#GUC-SHARED-BUFFERS",
        "shared_buffers",
        "shared_buffers counts against the container's limit. Above 40 % of it there is no room for connections, and "
        "PostgreSQL is killed in the middle of its work.",
    ),
    _fix(
        "CPL-002",
        "PostgreSQL connections x work_mem against the limit",
        "medium",
        _POSTGRES,
        "datastore_restart",
        _PG_RESOURCE + "#GUC-WORK-MEM",
        "work_mem",
        "Every connection may use work_mem at least once. When max_connections of them do and the sum is over the "
        "limit, one query too many kills the server for all.",
    ),
    _fix(
        "CPL-003",
        "PostgreSQL shared memory",
        "medium",
        _POSTGRES,
        "datastore_restart",
        _SERVICES + "shm_size",
        "shm_size",
        "Parallel queries share memory through /dev/shm, which is 64 MB by default: a larger hash join then fails "
        "with could not resize shared memory segment, No space left on device.",
    ),
    _fix(
        "CPL-004",
        "Redis maxmemory below the limit",
        "high",
        _REDIS,
        "datastore_restart",
        "https://redis.io/docs/latest/operate/oss_and_stack/management/admin/",
        "maxmemory",
        "Without maxmemory Redis grows until the kernel kills it; with it, writes are refused and the data stays. A "
        "snapshot or rewrite forks, and pages that change meanwhile exist twice.",
    ),
    _report(
        "CPL-005",
        "Redis never evicts a queue",
        "medium",
        _REDIS,
        "https://redis.io/docs/latest/develop/reference/eviction/",
        "With any policy but noeviction Redis makes room by dropping keys: a full queue loses tasks without a word.",
        "a cache is meant to evict, and which keys are a queue is not in the file; without a policy it is noeviction, "
        "which is written beside maxmemory",
    ),
    _fix(
        "CPL-006",
        "GOMEMLIMIT below the limit",
        "high",
        _TEMPORAL,
        "recreate",
        _GO_GC,
        "GOMEMLIMIT",
        "Go's garbage collector does not know of the container's limit, and lets the heap grow past it. GOMEMLIMIT at "
        "90 % makes it collect harder instead; the guide asks for 5 to 10 % of room for what Go does not count.",
    ),
    _fix(
        "CPL-007",
        "GOMAXPROCS follows the CPU limit",
        "low",
        _TEMPORAL,
        "recreate",
        "https://go.dev/blog/container-aware-gomaxprocs",
        "GOMAXPROCS",
        "With more running threads than the CPU limit allows, a Go program uses its quota up early in each period and "
        "then stands still. Go follows the limit by itself from 1.25 on, which is Temporal 1.29; before, Temporal "
        "rounds it down, so that 1.5 CPUs are used as 1.",
    ),
    _fix(
        "CPL-008",
        "Process limit above connections",
        "high",
        frozenset({"temporal", "postgres", "redis", "pgbouncer"}),
        "recreate",
        "https://github.com/mattermost/docker/pull/181",
        "pids_limit",
        "PostgreSQL starts one process for each connection. A process limit below max_connections makes new "
        "connections fail with Resource temporarily unavailable under load only.",
    ),
    _report(
        "CPL-009",
        "Temporal's connections fit PostgreSQL",
        "medium",
        _POSTGRES,
        "https://github.com/temporalio/temporal/issues/6459",
        "Each of Temporal's four services opens its own pools: 4 x (SQL_MAX_CONNS + SQL_VIS_MAX_CONNS) is 120 by "
        "default and PostgreSQL allows 100. The last ones to come get no connection, and tasks time out.",
        "either side can give way, and a pooler between them is the better answer",
    ),
)

#: Every control, in the order of the documentation.
CONTROLS: tuple[Control, ...] = _LIMITS + _HEALTH + _OPERATIONS + _SECURITY + _COUPLED

_BY_ID = {row.id: row for row in CONTROLS}


def control(control_id: str) -> Control:
    """Return a control by its id.

    Raises:
        KeyError: there is no such control.
    """
    return _BY_ID[control_id]


def control_ids() -> tuple[str, ...]:
    """Return the ids of all controls, in the order of the documentation."""
    return tuple(_BY_ID)
