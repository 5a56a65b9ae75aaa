# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.connections_worst import worst_case
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.records import Client, Clients, Unclear, Use

from .facts import facts, session


def client(service: str, *maxima: int | None, **more: Any) -> Client:
    uses = tuple(Use("app", "temporal", maximum, f"{service} {maximum}") for maximum in maxima)
    kind = more.pop("kind", "other")
    return Client(
        service, kind, "url", more.pop("server", "postgres"), more.pop("through", ""), "", 5432, uses, (), **more
    )


def judge(available: int | None, *clients: Client, unclear: tuple[Unclear, ...] = ()) -> dict[str, Any]:
    found = Clients(("postgres",), {}, clients, unclear)
    return worst_case(found, "postgres", facts([session(1, service="a"), session(2, service=None)]), available)


@pytest.mark.parametrize(
    ("available", "clients", "unclear", "expected"),
    [
        (9, [client("a", 4, 5)], (), (True, 9, True)),
        (8, [client("a", 4, 5)], (), (False, 9, True)),
        (9, [client("a", 9), client("a", 1)], (), (False, 10, True)),
        (9, [client("a", 4), client("b", None)], (), (None, 4, False)),
        (3, [client("a", 4), client("b", None)], (), (False, 4, False)),
        (9, [client("a", 4)], (Unclear("b", "hidden"),), (None, 4, False)),
        (None, [client("a", 4)], (), (None, 4, True)),
        (9, [client("a", 4), client("s", 9, kind="temporal-schema")], (), (True, 4, True)),
        (9, [client("a", 50, through="pool"), client("pool", 8, kind="pgbouncer")], (), (True, 8, True)),
        (9, [client("a", 4), client("b", 50, server="other")], (), (True, 4, True)),
        (9, [], (), (True, 0, True)),
    ],
)
def test_maxima_add_up_against_what_there_is(
    available: int | None, clients: list[Client], unclear: tuple[Unclear, ...], expected: tuple[bool | None, int, bool]
) -> None:
    worst = judge(available, *clients, unclear=unclear)
    assert (worst["fits"], worst["total"], worst["complete"]) == expected


def test_each_service_is_one_row_with_what_it_has_open_now() -> None:
    rows = judge(9, client("a", 4), client("a", 5), client("b", 1))["clients"]
    assert [(row["service"], row["maximum"], row["now"]) for row in rows] == [("a", 9, 1), ("b", 1, 0)]
    assert rows[0]["arithmetic"] == "app: a 4; app: a 5"
