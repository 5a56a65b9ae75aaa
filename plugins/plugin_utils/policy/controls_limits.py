# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls: Limits, and the values that hang together with them."""

from __future__ import annotations

from .controls_base import (
    ALL,
    GO_GC,
    PG_RESOURCE,
    POSTGRES,
    REDIS,
    RESOURCES,
    SERVICES,
    TEMPORAL,
    fix,
    report,
)

LIMITS = (
    fix(
        "LIM-001",
        "Memory limit",
        "high",
        ALL,
        "recreate",
        RESOURCES + "#limit-a-containers-access-to-memory",
        "mem_limit or deploy.resources.limits.memory",
        "Without a limit one container can take all of the host's memory, and the kernel then kills whichever process "
        "it likes, often the database. With one, the container at fault is the one that is stopped.",
    ),
    fix(
        "LIM-002",
        "Memory reservation",
        "low",
        ALL,
        "recreate",
        SERVICES + "mem_reservation",
        "mem_reservation or deploy.resources.reservations.memory",
        "The reservation is what the kernel leaves to a container first when the host runs short, so that the store "
        "of record is not squeezed by a neighbour that is far below its own limit.",
    ),
    fix(
        "LIM-003",
        "CPU limit",
        "medium",
        ALL,
        "recreate",
        SERVICES + "cpus",
        "cpus or deploy.resources.limits.cpus",
        "A retry storm in one container otherwise starves every other one of CPU, the health checks too, so that the "
        "whole stack looks dead when one part is busy.",
    ),
    fix(
        "LIM-004",
        "Process limit",
        "medium",
        ALL,
        "recreate",
        SERVICES + "pids_limit",
        "pids_limit or deploy.resources.limits.pids",
        "A fork bomb or a thread leak is otherwise a fault of the whole host: once its process table is full, nobody "
        "can log in to repair it.",
    ),
    report(
        "LIM-005",
        "Limits fit the host",
        "high",
        ALL,
        RESOURCES,
        "Memory cannot be shared out twice: limits that add up to more than the host has are promises that the kernel "
        "breaks at the worst moment, by killing.",
        "which service gets less is a decision; the arithmetic and the smallest change that fits are shown",
    ),
)

COUPLED = (
    fix(
        "CPL-001",
        "PostgreSQL shared_buffers against the limit",
        "high",
        POSTGRES,
        "datastore_restart",
        PG_RESOURCE + "#GUC-SHARED-BUFFERS",
        "shared_buffers",
        "shared_buffers counts against the container's limit. Above 40 % of it there is no room for connections, and "
        "PostgreSQL is killed in the middle of its work.",
    ),
    fix(
        "CPL-002",
        "PostgreSQL connections x work_mem against the limit",
        "medium",
        POSTGRES,
        "datastore_restart",
        PG_RESOURCE + "#GUC-WORK-MEM",
        "work_mem",
        "Every connection may use work_mem at least once. When max_connections of them do and the sum is over the "
        "limit, one query too many kills the server for all.",
    ),
    fix(
        "CPL-003",
        "PostgreSQL shared memory",
        "medium",
        POSTGRES,
        "datastore_restart",
        SERVICES + "shm_size",
        "shm_size",
        "Parallel queries share memory through /dev/shm, which is 64 MB by default: a larger hash join then fails "
        "with could not resize shared memory segment, No space left on device.",
    ),
    fix(
        "CPL-004",
        "Redis maxmemory below the limit",
        "high",
        REDIS,
        "datastore_restart",
        "https://redis.io/docs/latest/operate/oss_and_stack/management/admin/",
        "maxmemory",
        "Without maxmemory Redis grows until the kernel kills it; with it, writes are refused and the data stays. A "
        "snapshot or rewrite forks, and pages that change meanwhile exist twice.",
    ),
    report(
        "CPL-005",
        "Redis never evicts a queue",
        "medium",
        REDIS,
        "https://redis.io/docs/latest/develop/reference/eviction/",
        "With any policy but noeviction Redis makes room by dropping keys: a full queue loses tasks without a word.",
        "a cache is meant to evict, and which keys are a queue is not in the file; without a policy it is noeviction, "
        "which is written beside maxmemory",
    ),
    fix(
        "CPL-006",
        "GOMEMLIMIT below the limit",
        "high",
        TEMPORAL,
        "recreate",
        GO_GC,
        "GOMEMLIMIT",
        "Go's garbage collector does not know of the container's limit, and lets the heap grow past it. GOMEMLIMIT at "
        "90 % makes it collect harder instead; the guide asks for 5 to 10 % of room for what Go does not count.",
    ),
    fix(
        "CPL-007",
        "GOMAXPROCS follows the CPU limit",
        "low",
        TEMPORAL,
        "recreate",
        "https://go.dev/blog/container-aware-gomaxprocs",
        "GOMAXPROCS",
        "With more running threads than the CPU limit allows, a Go program uses its quota up early in each period and "
        "then stands still. Go follows the limit by itself from 1.25 on, which is Temporal 1.29; before, Temporal "
        "rounds it down, so that 1.5 CPUs are used as 1.",
    ),
    fix(
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
    report(
        "CPL-009",
        "Clients' connections fit PostgreSQL",
        "medium",
        POSTGRES,
        "https://github.com/temporalio/temporal/issues/6459",
        "Each of Temporal's four services opens its own pools: 4 x (SQL_MAX_CONNS + SQL_VIS_MAX_CONNS) is 120 by "
        "default and PostgreSQL allows 100. The last ones to come get no connection, and tasks time out.",
        "either side can give way, and a pooler between them is the better answer",
    ),
)
