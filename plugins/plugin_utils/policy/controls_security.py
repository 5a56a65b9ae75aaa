# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls: Privileges, exposure and secrets."""

from __future__ import annotations

from .controls_base import ALL, DAEMONS, SERVICES, fix, report

SECURITY = (
    fix(
        "SEC-001",
        "No new privileges",
        "medium",
        ALL,
        "recreate",
        SERVICES + "security_opt",
        "security_opt: no-new-privileges:true",
        "A process that got in cannot become root through a setuid program of the image.",
    ),
    fix(
        "SEC-002",
        "Capabilities dropped",
        "low",
        DAEMONS,
        "recreate",
        SERVICES + "cap_drop",
        "cap_drop: ALL",
        "The default set lets root in the container change owners, open raw sockets and more. Temporal and its UI run "
        "as an ordinary user and need none of it.",
    ),
    report(
        "SEC-003",
        "Read-only root file system",
        "info",
        DAEMONS,
        SERVICES + "read_only",
        "Nothing that gets in can then leave a file behind that outlives the process.",
        "which paths an image writes to at run time is not in the file; a data store with a wrong one does not start",
    ),
    report(
        "SEC-004",
        "User",
        "medium",
        ALL,
        SERVICES + "user",
        "Root in a container is root on the host as soon as anything else gives way.",
        "files in the volumes belong to the present user; another one cannot read them",
    ),
    report(
        "SEC-005",
        "Privileged container",
        "critical",
        ALL,
        SERVICES + "privileged",
        "privileged gives the container every device and every capability of the host: it is no longer a container.",
        "the image was given it for something; only its owner knows which part of it is needed",
    ),
    report(
        "SEC-006",
        "Docker socket mounted",
        "critical",
        ALL,
        "https://docs.docker.com/engine/security/protect-access/",
        "Who can write to the engine's socket can start a privileged container and so owns the host; read-only mounts "
        "do not change that.",
        "the service was built around the socket; a filtering proxy in front of it is a change of design",
    ),
    report(
        "SEC-007",
        "Host namespaces",
        "high",
        ALL,
        SERVICES + "network_mode",
        "In the host's network, process or IPC namespace a container sees and reaches what the others keep to "
        "themselves, without any published port.",
        "the service reaches others by the host's addresses, which a bridge network does not have",
    ),
    report(
        "SEC-008",
        "Published ports of data stores",
        "high",
        frozenset({"postgres", "redis", "pgbouncer", "temporal"}),
        "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
        "Docker opens published ports past the host's firewall (ufw, firewalld). A database on 0.0.0.0 is on the "
        "internet as soon as the host is.",
        "who connects from outside cannot be seen in the file; bind to 127.0.0.1 or drop the port when nobody does",
    ),
    report(
        "SEC-009",
        "Secrets in plain environment",
        "medium",
        ALL,
        "https://docs.docker.com/compose/how-tos/use-secrets/",
        "Everybody who may read the repository, docker inspect or a crash report has the password.",
        "the secret has to be moved and changed by who owns it; a tool that moves it would print it",
    ),
    report(
        "SEC-010",
        "Added capabilities and lifted confinement",
        "high",
        ALL,
        SERVICES + "cap_add",
        "SYS_ADMIN, ALL, or an unconfined seccomp or AppArmor profile is nearly as much as privileged.",
        "the image was given it for something; only its owner knows whether it still needs it",
    ),
)
