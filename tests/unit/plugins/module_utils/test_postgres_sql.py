# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _compose_cli, _postgres_sql
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError

SERVER = _postgres_sql.Server("stack-postgres-1", "temporal", "app")


def docker(folder: Path, body: str) -> _compose_cli.Docker:
    path = folder / "docker"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return _compose_cli.Docker(str(path))


def test_rows_come_back_as_values(tmp_path: Path) -> None:
    answering = docker(tmp_path, """printf '{"n": 1, "name": "a|b"}\\n{"n": null, "name": "ü"}\\n'""")
    assert _postgres_sql.query(answering, SERVER, "SELECT 1") == [{"n": 1, "name": "a|b"}, {"n": None, "name": "ü"}]


def test_statements_travel_by_standard_input(tmp_path: Path) -> None:
    told = docker(tmp_path, f'echo "$*" > {tmp_path}/arguments; cat > {tmp_path}/input')
    _postgres_sql.execute(told, SERVER, "ALTER ROLE x PASSWORD 'hidden'")
    arguments = (tmp_path / "arguments").read_text()
    assert "hidden" not in arguments
    assert (tmp_path / "input").read_text() == "ALTER ROLE x PASSWORD 'hidden'"
    assert "--username=temporal --dbname=app" in arguments
    assert "default_transaction_read_only" not in arguments


def test_a_query_is_read_only_and_ends(tmp_path: Path) -> None:
    told = docker(tmp_path, f'echo "$*" > {tmp_path}/arguments')
    assert _postgres_sql.query(told, SERVER, "SELECT 1", timeout=2) == []
    arguments = (tmp_path / "arguments").read_text()
    assert "default_transaction_read_only=on" in arguments
    assert "statement_timeout=2000" in arguments


@pytest.mark.parametrize(
    ("code", "stderr", "connected", "expected"),
    [
        (2, "psql: error: ... FATAL:  sorry, too many clients already", False, "no connection as temporal"),
        (3, 'psql:<stdin>:3: ERROR:  role "x" exists', True, 'PostgreSQL in stack-postgres-1: role "x" exists'),
        (126, 'exec: "psql": executable file not found in $PATH', False, "the image has no psql"),
        (1, "", True, "psql failed and said nothing"),
    ],
)
def test_failures_are_told_apart(tmp_path: Path, code: int, stderr: str, connected: bool, expected: str) -> None:
    failing = docker(tmp_path, f"cat >&2 <<'END'\n{stderr}\nEND\nexit {code}")
    with pytest.raises(_postgres_sql.SqlError, match=expected.replace("$", r"\$")) as caught:
        _postgres_sql.execute(failing, SERVER, "SELECT 1")
    assert caught.value.connected is connected


def test_a_container_that_does_not_run_is_said(tmp_path: Path) -> None:
    failing = docker(tmp_path, "echo 'Error: No such container: stack-postgres-1' >&2; exit 1")
    with pytest.raises(StackError, match="cannot run psql in stack-postgres-1: Error: No such container"):
        _postgres_sql.execute(failing, SERVER, "SELECT 1")
