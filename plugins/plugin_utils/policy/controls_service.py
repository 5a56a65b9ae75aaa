# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls: Health checks, restarts, logs, stopping and starting."""

from __future__ import annotations

from .controls_base import ALL, DAEMONS, SERVICES, fix, report

HEALTH = (
    fix(
        "HLT-001",
        "Health check that tells the truth",
        "high",
        DAEMONS,
        "recreate",
        SERVICES + "healthcheck",
        "healthcheck",
        "A container without a health check counts as well while its process exists. Compose, monitoring and people "
        "then act on a state that nobody looked at.",
    ),
    fix(
        "HLT-002",
        "Health check that lies",
        "high",
        DAEMONS,
        "recreate",
        "https://github.com/temporalio/temporal/issues/453",
        "healthcheck.test",
        "An open port, a process that exists or a reply that is not looked at says nothing about service: a stopped "
        "process keeps its port open, and Redis answers while it still loads its data.",
    ),
    report(
        "HLT-003",
        "Health check that is slow",
        "low",
        DAEMONS,
        SERVICES + "healthcheck",
        "Many retries are often there to get through a slow start, which is what start_period is for; afterwards they "
        "only hide a fault for minutes.",
        "how long the service takes to start is not in the file, and too few retries would call it unhealthy",
    ),
)

OPERATIONS = (
    fix(
        "OPS-001",
        "Restart policy",
        "medium",
        DAEMONS,
        "recreate",
        SERVICES + "restart",
        "restart: unless-stopped",
        "The default is no: a daemon that dies at night, and all of them after a reboot, stay down until a person "
        "comes.",
    ),
    fix(
        "OPS-002",
        "Log rotation",
        "medium",
        DAEMONS,
        "recreate",
        "https://docs.docker.com/engine/logging/drivers/json-file/",
        "logging.options max-size and max-file",
        "The json-file driver keeps everything for ever by default. A retry storm writes gigabytes of log in hours, "
        "and a full disk stops the database first.",
    ),
    fix(
        "OPS-003",
        "Stop grace period",
        "medium",
        frozenset({"temporal", "postgres", "redis", "worker"}),
        "recreate",
        SERVICES + "stop_grace_period",
        "stop_grace_period",
        "After 10 s, the default, a container is killed. Temporal drains its shards, PostgreSQL writes a checkpoint "
        "and Redis its snapshot when they are given the time; killed, they recover at the next start instead.",
    ),
    fix(
        "OPS-004",
        "Start order by health",
        "medium",
        ALL,
        "recreate",
        SERVICES + "depends_on",
        "depends_on conditions",
        "A plain depends_on waits only until the other container exists. Clients that come up before their database "
        "or before Temporal fail, retry, or silently never poll.",
    ),
    report(
        "OPS-005",
        "Init process",
        "info",
        frozenset({"worker", "other"}),
        SERVICES + "init",
        "As process 1 a shell or a language runtime neither reaps children nor, often, passes on signals, so that a "
        "stop always takes the whole grace period and ends in a kill.",
        "images with a supervisor of their own (s6, tini, systemd) refuse to start as any other process than 1, and "
        "the file does not tell which they are",
    ),
    report(
        "OPS-006",
        "Image pinned by version",
        "medium",
        ALL,
        "https://docs.docker.com/build/building/best-practices/#pin-base-image-versions",
        "Without a tag, or with latest, the next pull is an upgrade that nobody chose, and a rollback has nothing to "
        "go back to.",
        "which version runs and which one is right cannot be known from the file",
    ),
    fix(
        "OPS-007",
        "File descriptors",
        "medium",
        frozenset({"temporal", "postgres", "redis", "pgbouncer"}),
        "recreate",
        SERVICES + "ulimits",
        "ulimits.nofile",
        "Every connection is a file descriptor. A stated limit below the connections that the service allows turns "
        "load into refused connections; the engine's own default is high enough and is left alone.",
    ),
)
