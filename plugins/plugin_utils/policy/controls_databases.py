# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls: PostgreSQL and those who connect to it."""

from __future__ import annotations

from .controls_base import POSTGRES, TEMPORAL, report

DATABASES = (
    report(
        "PG-001",
        "PostgreSQL asks for a password",
        "high",
        POSTGRES,
        "https://www.postgresql.org/docs/current/auth-trust.html",
        "With trust, every container and process that reaches the port is whichever user it says it is, the superuser "
        "too.",
        "clients without a password would be shut out, and the variable only counts when the data folder is made: "
        "afterwards it is in pg_hba.conf",
    ),
    report(
        "PG-002",
        "Temporal's driver behind a pooler",
        "high",
        TEMPORAL,
        "https://github.com/temporalio/temporal/issues/4184",
        "The driver postgres12 (lib/pq) prepares unnamed statements in one round trip and runs them in another. Behind "
        "a pooler that shares connections by transaction they meet a stranger's: the server exits at its start.",
        "whether the server's version and the pooler's prepared statements (PgBouncer 1.21 or later) carry "
        "postgres12_pgx is not in the file",
    ),
)
