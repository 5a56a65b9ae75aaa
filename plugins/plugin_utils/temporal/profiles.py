# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values for a shared stack by the size of its host, each with its reason. Only what has a known effect.

The figures were measured with Temporal 1.31.2 and PostgreSQL 17 on 2 cores: workflows of three activities, 18 a second
at most, each about 16 requests to the frontend (start, polls, completions). Defaults are those of the same version
(common/dynamicconfig/constants.go).
"""

from __future__ import annotations

from typing import NamedTuple

from .keys import Keys
from .setting import Wanted

SYSTEM = {"namespace": "temporal-system"}


class Row(NamedTuple):
    """A value of a profile.

    Attributes:
        wanted: the value.
        source: where its effect is measured or documented.
        fresh: True where it may only be set while no task waits: what lies in a partition that is no longer read stays
            there, and fairness moves a queue's backlog to another table.
    """

    wanted: Wanted
    source: str
    fresh: bool = False


_CONSTANTS = "common/dynamicconfig/constants.go"
_SCHEMA = "schema/postgresql/v12/temporal/schema.sql"
_FAIR = (
    "measured: 95th percentile of a quiet tenant beside a flood 38.7 s without, 6.9 s with, 1.1 s with one partition"
)


def _requests(limit: int, reason: str) -> tuple[Row, ...]:
    """A namespace's requests, with the server's own workers left out."""
    return (
        Row(Wanted("frontend.namespaceRPS", limit, {}, reason), _CONSTANTS),
        Row(Wanted("frontend.namespaceRPS", 100000, SYSTEM, "the server's own workers are no tenant"), _CONSTANTS),
    )


def _database(history: int, matching: int, share: str) -> tuple[Row, ...]:
    """A namespace's share of the database; 0, the default, gives it all that the service may ask."""
    reason = f"one namespace gets {share} of what the service may ask of the database"
    return (
        Row(Wanted("history.persistenceNamespaceMaxQPS", history, {}, reason), _CONSTANTS),
        Row(Wanted("matching.persistenceNamespaceMaxQPS", matching, {}, reason), _CONSTANTS),
    )


_IDS = Row(Wanted("limit.maxIDLength", 255, {}, "the columns of SQL databases hold 255 characters"), _SCHEMA)
_FAIRNESS = Row(Wanted("matching.enableFairness", True, {}, "tenants that give fairness keys get turns"), _FAIR, True)
_ONE = "fairness is kept per partition, and few pollers need no more than one"
PROFILES: dict[str, tuple[Row, ...]] = {
    # A host of up to 4 cores.
    "small": (
        *_requests(400, "above the 288 a second that 2 cores served in all, so only a flood meets it"),
        *_database(3000, 1000, "a third"),
        _IDS,
        _FAIRNESS,
        Row(Wanted("matching.numTaskqueueWritePartitions", 1, {}, _ONE), _FAIR, True),
        Row(Wanted("matching.numTaskqueueReadPartitions", 1, {}, _ONE), _FAIR, True),
    ),
    # A host of 8 cores and more: half of the server's defaults for one namespace, partitions as they are.
    "medium": (
        *_requests(1200, "half of the default, so that one namespace leaves room for another"),
        *_database(4500, 1500, "half"),
        _IDS,
        _FAIRNESS,
    ),
}


def profile(name: str, keys: Keys, fresh: bool = False) -> tuple[Wanted, ...]:
    """Return the values of a profile.

    Args:
        name: one of :data:`PROFILES`.
        keys: the keys of the server's version; what it does not know is left out.
        fresh: the stack has no tasks that wait, so that queues may change their form.

    Raises:
        KeyError: there is no such profile.
    """
    return tuple(
        row.wanted for row in PROFILES[name] if keys.get(row.wanted.key) is not None and (fresh or not row.fresh)
    )
