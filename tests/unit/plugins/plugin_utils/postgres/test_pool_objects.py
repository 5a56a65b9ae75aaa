# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres import pool_objects
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.pooler import AUTH_ROLE

USERS = ("app", "temporal")
DATABASES = ("app", "temporal")


def row(**changes: Any) -> dict[str, Any]:
    """What a server says on which everything is as it has to be, but for the changes."""
    user = {"super": False, "login": True, "secret": "scram"}
    function = {
        "source": pool_objects._body(USERS),
        "definer": True,
        "config": ["search_path=pg_catalog"],
        "super": True,
        "grantees": [AUTH_ROLE],
    }
    role = {"comment": f"{pool_objects.MARK}: x", "secret": pool_objects.scram_secret("pw"), "plain": True}
    usual = {
        "max_connections": 100,
        "superuser_reserved": 3,
        "reserved": 0,
        "users": dict.fromkeys(USERS, user),
        "databases": dict.fromkeys(DATABASES, True),
        "role": role,
        "schema": {"comment": f"{pool_objects.MARK}."},
        "function": function,
    }
    return usual | changes


def test_what_is_as_it_has_to_be_has_no_differences() -> None:
    assert pool_objects.differences(row(), USERS, DATABASES, "pw") == []
    assert pool_objects.refusals(row(), USERS, DATABASES) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"role": None}, "role breakwater_pool: is missing"),
        ({"role": row()["role"] | {"plain": False}}, "may not log in, or may more than that"),
        ({"role": row()["role"] | {"secret": None}}, "has another password than the pool"),
        ({"schema": None}, "schema breakwater: is missing"),
        ({"function": None}, "function breakwater.pool_secret: is missing"),
        ({"function": row()["function"] | {"grantees": ["PUBLIC"]}}, "was changed (grantees)"),
        ({"function": row()["function"] | {"source": "SELECT 1", "definer": False}}, "was changed (source, definer)"),
        ({"databases": {"app": True, "temporal": False}}, "may not connect to temporal"),
    ],
)
def test_differences_are_named(changes: dict[str, Any], expected: str) -> None:
    found = pool_objects.differences(row(**changes), USERS, DATABASES, "pw")
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"role": row()["role"] | {"comment": None}}, "role breakwater_pool: is in PostgreSQL already"),
        ({"schema": {"comment": "ours"}}, "schema breakwater: is in PostgreSQL already"),
        ({"users": {"app": row()["users"]["app"]}}, "user temporal: may not log in"),
        (
            {"users": row()["users"] | {"app": {"super": False, "login": True, "secret": "none"}}},
            "user app: has no pass",
        ),
        ({"databases": {"app": True}}, "database temporal: is not in PostgreSQL"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], expected: str) -> None:
    found = pool_objects.refusals(row(**changes), USERS, DATABASES)
    assert len(found) == 1
    assert str(found[0]).startswith(expected)


def test_method_follows_the_oldest_secret() -> None:
    old = row()["users"] | {"app": {"super": True, "login": True, "secret": "md5"}}
    assert pool_objects.method(row()) == "scram-sha-256"
    assert pool_objects.method(row(users=old)) == "md5"
    assert pool_objects.superusers(row(users=old)) == ["app"]


def test_a_secret_that_postgresql_made_verifies() -> None:
    # RFC 7677, section 3: user "user", password "pencil", and the keys that follow from them.
    secret = pool_objects._secret("pencil", b"[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81", 4096)
    assert pool_objects.verifies(secret, "pencil")
    assert secret == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


@pytest.mark.parametrize("secret", [None, "", "md5abc", "SCRAM-SHA-256$x:y$z", "SCRAM-SHA-256$1$2", "$$"])
def test_what_is_no_secret_verifies_nothing(secret: str | None) -> None:
    assert not pool_objects.verifies(secret, "pw")


@settings(max_examples=20)
@given(st.text("abcXYZ019-_", min_size=1), st.binary(min_size=1, max_size=16))
def test_a_secret_verifies_its_password_only(password: str, salt: bytes) -> None:
    secret = pool_objects.scram_secret(password, salt)
    assert pool_objects.verifies(secret, password)
    assert not pool_objects.verifies(secret, f"{password}x")
    assert password not in secret or len(password) < 3


@given(st.text(), st.text())
def test_quotes_cannot_be_left(name: str, text: str) -> None:
    assert pool_objects.literal(text)[1:-1].replace("''", "").count("'") == 0
    assert pool_objects.identifier(name)[1:-1].replace('""', "").count('"') == 0


def test_scripts_hold_no_password_and_name_only_the_users() -> None:
    script = pool_objects.create_script(USERS, DATABASES, pool_objects.scram_secret("hidden"))
    assert "hidden" not in script
    assert "ARRAY['app', 'temporal']" in script
    assert "REVOKE ALL ON FUNCTION" in script
    assert pool_objects.drop_script().count(pool_objects.MARK) == 2
