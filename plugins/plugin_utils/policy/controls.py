# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of controls: what a hardened stack looks like, as data.

A control fixes where the fix is safe on a running stack and reports where it is not. CIS numbers are those of the
CIS Docker Benchmark 1.6.
"""

from __future__ import annotations

from .controls_databases import DATABASES
from .controls_limits import COUPLED, LIMITS
from .controls_security import SECURITY
from .controls_service import HEALTH, OPERATIONS
from .model import Control

#: Every control, in the order of the documentation.
CONTROLS: tuple[Control, ...] = LIMITS + HEALTH + OPERATIONS + SECURITY + COUPLED + DATABASES

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
