# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services of a project connect to its PostgreSQL services, found in their configuration. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from ..compose.project import Project
from ..policy.kinds import Role
from .records import Clients, Sources


def find_clients(project: Project, roles: Mapping[str, Role], sources: Sources | None = None) -> Clients:
    """Find the clients of the PostgreSQL services of a project.

    Args:
        project: the project, its variables replaced.
        roles: what each service is (``policy.context.Stack(project, None, {}, Settings()).roles``).
        sources: the texts of the files with variables.
    """
    raise NotImplementedError
