# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pool needs inside PostgreSQL: one role, one schema, one function. Pure functions that write and judge SQL.

The pooler looks up the secrets of its users with the function, as a role that may do nothing else. The function is the
superuser's (SECURITY DEFINER) and answers for the users of the pool only. Each object carries a comment that says
whose it is, and what carries none is neither changed nor removed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .pooler import AUTH_FUNCTION, AUTH_ROLE, AUTH_SCHEMA
from .records import Refusal, ServerFacts

MARK = "Made by Breakwater for the connection pool"
_ITERATIONS = 4096  # PostgreSQL's own (scram_iterations)
_SCRAM = "SCRAM-SHA-256"


def literal(text: str) -> str:
    """Quote a text for SQL (standard_conforming_strings is on)."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _array(names: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(literal(name) for name in names)}]::text[]"


def facts_query(users: Iterable[str], databases: Iterable[str]) -> str:
    """Return the SELECT that says, in one row, what the server allows and how it stands with the pool's objects.

    Args:
        users: the roles that clients connect as.
        databases: the databases that they connect to.
    """
    return f"""
SELECT current_setting('max_connections')::int AS max_connections,
  current_setting('superuser_reserved_connections')::int AS superuser_reserved,
  coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
  (SELECT coalesce(json_object_agg(r.rolname, json_build_object('super', r.rolsuper, 'login', r.rolcanlogin, 'secret',
      CASE WHEN r.rolpassword IS NULL THEN 'none' WHEN r.rolpassword LIKE '{_SCRAM}$%' THEN 'scram' ELSE 'md5' END)),
      '{{}}') FROM pg_authid r WHERE r.rolname = ANY ({_array(users)})) AS users,
  (SELECT coalesce(json_object_agg(d.datname, EXISTS (SELECT FROM aclexplode(d.datacl) a WHERE a.privilege_type =
      'CONNECT' AND a.grantee = (SELECT oid FROM pg_authid WHERE rolname = '{AUTH_ROLE}'))), '{{}}')
      FROM pg_database d WHERE d.datname = ANY ({_array(databases)})) AS databases,
  (SELECT json_build_object('comment', shobj_description(r.oid, 'pg_authid'), 'secret', r.rolpassword, 'plain',
      r.rolcanlogin AND NOT (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls))
      FROM pg_authid r WHERE r.rolname = '{AUTH_ROLE}') AS role,
  (SELECT json_build_object('comment', obj_description(n.oid, 'pg_namespace'))
      FROM pg_namespace n WHERE n.nspname = '{AUTH_SCHEMA}') AS schema,
  (SELECT json_build_object('source', p.prosrc, 'definer', p.prosecdef, 'config', p.proconfig,
      'super', (SELECT o.rolsuper FROM pg_authid o WHERE o.oid = p.proowner), 'grantees',
      (SELECT array_agg(coalesce(g.rolname, 'PUBLIC') ORDER BY 1)
          FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a LEFT JOIN pg_authid g ON g.oid = a.grantee
          WHERE a.grantee <> p.proowner))
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = '{AUTH_SCHEMA}' AND p.proname = '{AUTH_FUNCTION}' AND p.pronargs = 1) AS function
""".strip()


def server_facts(row: Mapping[str, Any], cores: float) -> ServerFacts:
    """Return what a row of :func:`facts_query` says of the server's limits."""
    return ServerFacts(row["max_connections"], row["superuser_reserved"], row["reserved"], cores)


def refusals(row: Mapping[str, Any], users: Iterable[str], databases: Iterable[str]) -> list[Refusal]:
    """Return why the pool cannot serve users and databases as the server has them."""
    found = []
    for kind, item in (("role", row["role"]), ("schema", row["schema"])):
        name = AUTH_ROLE if kind == "role" else AUTH_SCHEMA
        if item is not None and not (item["comment"] or "").startswith(MARK):
            way_out = f"rename it, or remove it (DROP {kind.upper()}), and run again"
            found.append(Refusal(f"{kind} {name}", "is in PostgreSQL already and was not made by Breakwater", way_out))
    for user in users:
        known = row["users"].get(user)
        if known is None or not known["login"]:
            found.append(
                Refusal(f"user {user}", "may not log in to PostgreSQL", "make the role, or correct the client")
            )
        elif known["secret"] == "none":
            way_out = f"give it one: ALTER ROLE {identifier(user)} PASSWORD ..., and the same to its clients"
            found.append(Refusal(f"user {user}", "has no password, and the pool lets nobody in without", way_out))
    for database in databases:
        if database not in row["databases"]:
            way_out = "start the stack once without the pool, so that it is made, or correct the client"
            found.append(Refusal(f"database {database}", "is not in PostgreSQL", way_out))
    return found


def method(row: Mapping[str, Any]) -> str:
    """Return how users prove to the pool who they are, by the secrets that the server has of them."""
    return "md5" if any(user["secret"] == "md5" for user in row["users"].values()) else "scram-sha-256"


def superusers(row: Mapping[str, Any]) -> list[str]:
    """Return the users that are superusers: a pool of them works, and a role of its own for each client is better."""
    return sorted(name for name, user in row["users"].items() if user["super"])


def differences(row: Mapping[str, Any], users: Sequence[str], databases: Iterable[str], password: str) -> list[str]:
    """Return what differs from the objects that the pool needs, a line each; none where all is as it has to be."""
    found = []
    role, function = row["role"], row["function"]
    if role is None:
        found.append(f"role {AUTH_ROLE}: is missing")
    elif not role["plain"]:
        found.append(f"role {AUTH_ROLE}: may not log in, or may more than that")
    elif not verifies(role["secret"], password):
        found.append(f"role {AUTH_ROLE}: has another password than the pool")
    if row["schema"] is None:
        found.append(f"schema {AUTH_SCHEMA}: is missing")
    wanted = {
        "source": _body(users),
        "definer": True,
        "config": ["search_path=pg_catalog"],
        "super": True,
        "grantees": [AUTH_ROLE],
    }
    if function is None:
        found.append(f"function {AUTH_SCHEMA}.{AUTH_FUNCTION}: is missing")
    elif function != wanted:
        parts = ", ".join(key for key in wanted if function.get(key) != wanted[key])
        found.append(f"function {AUTH_SCHEMA}.{AUTH_FUNCTION}: was changed ({parts})")
    found += [
        f"role {AUTH_ROLE}: may not connect to {name}" for name in databases if row["databases"].get(name) is False
    ]
    return found


def _body(users: Sequence[str]) -> str:
    """Write the function: secrets of the pool's users, and of nobody else."""
    return (
        "\nSELECT r.rolname::text, r.rolpassword FROM pg_authid r\n"
        f"WHERE r.rolname = wanted AND r.rolcanlogin AND r.rolname = ANY ({_array(sorted(users))})\n"
    )


def create_script(users: Sequence[str], databases: Iterable[str], secret: str) -> str:
    """Write the statements that make the objects, or set right those that are there.

    Args:
        users: the users of the pool; the function answers for them only.
        databases: the databases of the pool, to which its role has to connect for the health check.
        secret: what :func:`scram_secret` makes of the role's password: the password itself stays outside.
    """
    role, schema = identifier(AUTH_ROLE), identifier(AUTH_SCHEMA)
    function = f"{schema}.{identifier(AUTH_FUNCTION)}"
    grants = "".join(f"GRANT CONNECT ON DATABASE {identifier(name)} TO {role};\n" for name in databases)
    return f"""
DO $do$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(AUTH_ROLE)}) THEN CREATE ROLE {role}; END IF;
END $do$;
ALTER ROLE {role} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {literal(secret)};
COMMENT ON ROLE {role} IS {literal(f"{MARK}: it looks up the users' secrets and asks for the health check.")};
CREATE SCHEMA IF NOT EXISTS {schema};
COMMENT ON SCHEMA {schema} IS {literal(f"{MARK}.")};
REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;
GRANT USAGE ON SCHEMA {schema} TO {role};
DROP FUNCTION IF EXISTS {function}(text);
CREATE FUNCTION {function}(wanted text) RETURNS TABLE (rolname text, rolpassword text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $body${_body(users)}$body$;
COMMENT ON FUNCTION {function}(text) IS {literal(f"{MARK}: the secret of one of its users.")};
REVOKE ALL ON FUNCTION {function}(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {function}(text) TO {role};
{grants}"""


def drop_script() -> str:
    """Write the statements that remove the objects, if Breakwater made them."""
    role, schema = identifier(AUTH_ROLE), identifier(AUTH_SCHEMA)
    mark = literal(f"{MARK}%")
    return f"""
DO $do$ BEGIN
  IF (SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = {literal(AUTH_SCHEMA)}) LIKE {mark}
  THEN
    DROP FUNCTION IF EXISTS {schema}.{identifier(AUTH_FUNCTION)}(text);
    DROP SCHEMA {schema};
  END IF;
  IF (SELECT shobj_description(oid, 'pg_authid') FROM pg_authid WHERE rolname = {literal(AUTH_ROLE)}) LIKE {mark}
  THEN
    DROP OWNED BY {role};
    DROP ROLE {role};
  END IF;
END $do$;
"""


def scram_secret(password: str, salt: bytes | None = None) -> str:
    """Make the secret that PostgreSQL stores for a password (RFC 5803), so that the password itself stays here.

    Args:
        password: ASCII, as :func:`secrets.token_urlsafe` makes them, so that SASLprep changes nothing.
        salt: for a secret that is to be compared; a random one by default.
    """
    salt = os.urandom(16) if salt is None else salt
    return _secret(password, salt, _ITERATIONS)


def _secret(password: str, salt: bytes, iterations: int) -> str:
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    keys = (hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256"))
    stored, server = (base64.b64encode(key).decode("ascii") for key in keys)
    return f"{_SCRAM}${iterations}:{base64.b64encode(salt).decode('ascii')}${stored}:{server}"


def verifies(secret: str | None, password: str) -> bool:
    """Say whether a stored secret is that of a password."""
    try:
        scheme, rest, _keys = (secret or "").split("$")
        iterations, salt = rest.split(":")
        return scheme == _SCRAM and hmac.compare_digest(
            _secret(password, base64.b64decode(salt), int(iterations)), secret or ""
        )
    except ValueError:
        return False
