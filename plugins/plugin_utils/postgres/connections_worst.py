# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the clients of a PostgreSQL service may open by their configuration, against what there is. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .records import Client, Clients


def worst_case(clients: Clients, service: str, facts: Mapping[str, Any], available: int | None) -> dict[str, Any]:
    """Add up what the clients of a server may open directly; a pooler stands for those behind it.

    Args:
        clients: as found in the project.
        service: the PostgreSQL service.
        facts: what the target's reader returned; tells what each service has open now.
        available: connections that applications may have, None when not known.
    """
    now = Counter(session["service"] for session in facts["sessions"])
    direct: dict[str, list[Client]] = {}
    for client in clients.of(service):
        if not client.through:
            direct.setdefault(client.service, []).append(client)
    rows = [_row(name, group, now[name]) for name, group in direct.items()]
    lasting = [row for row in rows if not row["passing"]]
    total = sum(row["maximum"] or 0 for row in lasting)
    complete = not clients.unclear and all(row["maximum"] is not None for row in lasting)
    fits = None
    if available is not None:
        fits = False if total > available else True if complete else None
    return {
        "fits": fits,
        "total": total,
        "complete": complete,
        "available": available,
        "clients": rows,
        "unclear": [{"service": item.service, "reason": item.reason} for item in clients.unclear],
    }


def _row(name: str, clients: Sequence[Client], now: int) -> dict[str, Any]:
    """Describe one service; a schema job connects for a moment only and is not added up."""
    maxima = [client.maximum for client in clients]
    known = [maximum for maximum in maxima if maximum is not None]
    return {
        "service": name,
        "maximum": sum(known) if len(known) == len(maxima) else None,
        "arithmetic": "; ".join(client.arithmetic for client in clients),
        "now": now,
        "passing": clients[0].kind == "temporal-schema",
    }
