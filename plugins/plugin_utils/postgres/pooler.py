# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the pooler: its service for Compose and its configuration.

Pure functions: the same input gives the same bytes.
"""

from __future__ import annotations

from ..compose.project import Project
from .records import File, Pooler, Refusal, Sizes

#: The role by which the pooler looks up the users' secrets and its health check asks; the schema and the function.
AUTH_ROLE = "breakwater_pool"
AUTH_SCHEMA = "breakwater"
AUTH_FUNCTION = "pool_secret"  # (name text) returns (rolname, rolpassword) of the pool's users

#: Where the files are, relative to the project's folder.
COMPOSE_FILE = "breakwater/pgbouncer.yml"
FOLDER = "breakwater/pgbouncer"

#: Folder of the socket in the container, for its console.
SOCKET_FOLDER = "/tmp"


def pooler_for(project: Project, server: str, image: str, service: str = "pgbouncer") -> Pooler | Refusal:
    """Describe the pooler for a PostgreSQL service of a project, or say why there can be none."""
    raise NotImplementedError


def pooler_files(pooler: Pooler, sizes: Sizes, password: str) -> tuple[File, ...]:
    """Write the files: compose file, pgbouncer.ini, pgbouncer_hba.conf, userlist.txt and pgpass.

    Args:
        pooler: the service.
        sizes: its sizes, with the databases and their users.
        password: of :data:`AUTH_ROLE`; it stands in userlist.txt and pgpass only.
    """
    raise NotImplementedError
