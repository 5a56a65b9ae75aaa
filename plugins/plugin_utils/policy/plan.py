# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: every control on every service, and the edits that follow. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .model import HostFacts, Plan, Settings, Usage

if TYPE_CHECKING:
    from ..compose.project import Project


def make_plan(project: Project, host: HostFacts | None, usage: Mapping[str, Usage], settings: Settings) -> Plan:
    """Compare a project with the policy.

    Args:
        project: the compose files as they are now.
        host: the machine, None when it is not known: then nothing that depends on it is planned.
        usage: what the running services use; a service that is not in it does not run.
        settings: what the user has decided.
    """
    raise NotImplementedError


def apply_plan(project: Project, plan: Plan) -> Project:
    """Return the project with the changes of a plan made, file by file.

    Raises:
        RefusedEdit: an edit cannot be made so that it is provably right.
        ValueError: the plan was refused.
    """
    raise NotImplementedError
