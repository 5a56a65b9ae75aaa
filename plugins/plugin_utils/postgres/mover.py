# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edits that point a client at the pool and change nothing else. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from ..compose.document import Document
from ..compose.edits import Edit
from ..compose.project import Project
from .records import Clients, Moves, Sources, Target


def move_clients(
    project: Project, clients: Clients, targets: Mapping[str, Target], sources: Sources | None = None
) -> Moves:
    """Point clients at the pool; one that is there already gives no edit.

    Args:
        project: the project as it is.
        clients: as found in it.
        targets: where each service that is to move goes, by its name.
        sources: the texts of the files with variables.
    """
    raise NotImplementedError


def include_edits(document: Document, path: str) -> tuple[Edit, ...]:
    """Return the edits that add a file to a Compose file's ``include``; none when it is there already."""
    raise NotImplementedError
