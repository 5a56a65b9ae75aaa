# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the pooler: its service for Compose and its configuration.

Pure functions: the same input gives the same bytes. Settings: https://www.pgbouncer.org/config.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection

from ..compose.project import Project
from ..compose.service import Service
from .clients import BACKENDS_KEY, SERVER_LABEL, host_names
from .records import File, Pooler, PoolSize, Refusal, Sizes

#: The role by which the pooler looks up the users' secrets and its health check asks; the schema and the function.
AUTH_ROLE = "breakwater_pool"
AUTH_SCHEMA = "breakwater"
AUTH_FUNCTION = "pool_secret"  # (name text) returns (rolname, rolpassword) of the pool's users

#: The database that holds the function, and the name under which the pooler reaches it: nobody else may use that.
AUTH_DATABASE = "postgres"
AUTH_ALIAS = "breakwater_lookup"

#: Where the files are, relative to the project's folder.
COMPOSE_FILE = "breakwater/pgbouncer.yml"
FOLDER = "breakwater/pgbouncer"

#: Folder of the configuration in the container, and of the socket for its console.
CONFIG_FOLDER = "/etc/pgbouncer"
SOCKET_FOLDER = "/tmp"

#: PgBouncer 1.24.1 reads no other characters in the name of a database, quoted or not (seen).
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_RESERVED = ("pgbouncer", AUTH_ALIAS)

_HEADER = "{mark} Managed by Breakwater: the next run overwrites what is changed here.\n"

_COMPOSE = """\
services:
  {service}:
    image: {image}
    entrypoint: ["pgbouncer"]
    command: ["{folder}/pgbouncer.ini"]
    user: "{uid}:{gid}"
    restart: unless-stopped
    # Clients hold their server connections until the end of a transaction: SIGINT waits for that, SIGTERM would wait
    # for the clients themselves.
    stop_signal: SIGINT
    stop_grace_period: 15s
    # PgBouncer does not reap the processes of its health check.
    init: true
    read_only: true
    tmpfs: ["{socket}:mode=1777,size=8m"]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    environment:
      PGPASSFILE: {folder}/pgpass
      PGCONNECT_TIMEOUT: "3"
    volumes:
      - ./pgbouncer:{folder}:ro
{networks}    mem_limit: {memory}m
    mem_reservation: {reservation}m
    cpus: 1.0
    pids_limit: 128
    ulimits:
      nofile: {nofile}
    logging:
      driver: json-file
      options:
        max-size: 10m
        max-file: "3"
    healthcheck:
      # a query through the pool to each database
      test: {test}
      interval: 5s
      timeout: 10s
      retries: 3
      start_period: 30s
    labels:
      breakwater.kind: pgbouncer
      {server_label}: {server}
    # for readers of this file; Compose does not count it into what it recreates for
    {backends_key}: {backends}
"""

_INI = """\
[databases]
{databases}
[pgbouncer]
listen_addr = *
listen_port = {port}
unix_socket_dir = {socket}
auth_type = hba
auth_hba_file = {folder}/pgbouncer_hba.conf
auth_file = {folder}/userlist.txt
auth_user = {role}
auth_dbname = {alias}
auth_query = SELECT rolname, rolpassword FROM {schema}.{function}($1)
pool_mode = session
default_pool_size = {default_pool_size}
max_client_conn = {max_client_conn}
query_wait_timeout = {query_wait_timeout}
server_lifetime = {server_lifetime}
server_idle_timeout = {server_idle_timeout}
max_prepared_statements = {max_prepared_statements}
; the reserve is for clients that have waited that many seconds
reserve_pool_timeout = 1
; a server that has moved or come back is found at once
dns_max_ttl = 5
dns_nxdomain_ttl = 2
server_login_retry = 2
; drivers send it on their own; what a client asks for itself is refused, for without it a query would mean another
ignore_startup_parameters = extra_float_digits
; a line for each login and each statistics period says little and fills the log
log_connections = 0
log_disconnections = 0
log_stats = 0
"""


def pooler_for(
    project: Project, server: str, image: str, service: str = "pgbouncer", clients: Collection[str] = ()
) -> Pooler | Refusal:
    """Describe the pooler for a PostgreSQL service of a project, or say why there can be none.

    Args:
        project: the project.
        server: its PostgreSQL service.
        image: the pooler's image, as the Compose file is to name it.
        service: name of the pooler's service.
        clients: who goes through it. Networks in which none of them is are left out: where the server is in one with
            other projects, its name may be another server's there.
    """
    found = project.services[server]
    other = project.services.get(service)
    if other is not None and not other.labels.get(SERVER_LABEL):
        hint = "keep that pooler, or give this one another name"
        return Refusal(service, "the project has a service of that name that is not Breakwater's", hint)
    taken = host_names(project, [name for name in project.services if name != service]).get(service)
    if taken is not None:
        reason = f"the engine knows it as {service} (hostname, container_name or alias), which is the pooler's name"
        return Refusal(taken, reason, "give it another name")
    mode = found.text("network_mode")
    if mode:
        hint = "put the server into a network of the project"
        return Refusal(server, f"it is in no network of its own (network_mode: {mode})", hint)
    names = _networks(found)
    used = {name for client in clients for name in _networks(project.services[client]) or ["default"]}
    shared = [name for name in names if name in used]
    return Pooler(service=service, image=image, server=server, networks=dict.fromkeys(shared or names))


def _networks(service: Service) -> list[str]:
    """Return the names of a service's networks; none for the project's default network alone."""
    found = service.get(("networks",))
    return list(found) if isinstance(found, dict) else service.strings("networks")


def unusable_names(sizes: Sizes) -> tuple[Refusal, ...]:
    """Refuse databases and users whose names PgBouncer's files cannot hold."""
    refusals: list[Refusal] = []
    for size in sizes.databases:
        if not _NAME.fullmatch(size.database) or size.database in _RESERVED:
            reason = "PgBouncer cannot serve a database of that name"
            hint = "leave its clients direct, or rename it to letters, digits, _ . -"
            refusals.append(Refusal(f"database {size.database}", reason, hint))
        unusable = (user for user in size.users if not user.isprintable() or user == AUTH_ROLE)
        reason = "the pool cannot serve a user of that name"
        refusals += (Refusal(f"user {user}", reason, "use another role") for user in unusable)
    return tuple(refusals)


def pooler_files(pooler: Pooler, sizes: Sizes, password: str) -> tuple[File, ...]:
    """Write the files: compose file, pgbouncer.ini, pgbouncer_hba.conf, userlist.txt and pgpass.

    Args:
        pooler: the service.
        sizes: its sizes, with the databases and their users; see unusable_names.
        password: of :data:`AUTH_ROLE`; it stands in userlist.txt and pgpass only.
    """
    names = [size.database for size in sizes.databases]
    return (
        File(COMPOSE_FILE, _HEADER.format(mark="#") + _compose(pooler, sizes, names)),
        File(f"{FOLDER}/pgbouncer.ini", _HEADER.format(mark=";") + _ini(pooler, sizes)),
        File(f"{FOLDER}/pgbouncer_hba.conf", _HEADER.format(mark="#") + _hba(pooler, sizes)),
        File(f"{FOLDER}/userlist.txt", f"{_quoted(AUTH_ROLE)} {_quoted(password)}\n", secret=True),
        File(f"{FOLDER}/pgpass", f"127.0.0.1:{pooler.port}:*:{AUTH_ROLE}:{_escaped(password)}\n", secret=True),
    )


def _compose(pooler: Pooler, sizes: Sizes, names: list[str]) -> str:
    """Write the service."""
    networks = "".join(f"      - {_yaml(name)}\n" for name in pooler.networks)
    memory = sizes.memory // 2**20
    return _COMPOSE.format(
        service=pooler.service,
        image=_yaml(pooler.image, interpolated=True),
        folder=CONFIG_FOLDER,
        socket=SOCKET_FOLDER,
        uid=pooler.uid,
        gid=pooler.gid,
        networks=f"    networks:\n{networks}" if networks else "",
        memory=memory,
        reservation=memory // 2,
        nofile=sizes.nofile,
        test=json.dumps(_health_check(pooler, names)),
        server_label=SERVER_LABEL,
        server=_yaml(pooler.server),
        backends_key=BACKENDS_KEY,
        backends=sizes.backends + 1,
    )


def _health_check(pooler: Pooler, names: list[str]) -> list[str]:
    """Return the words of the health check: one psql that goes from database to database."""
    words = ["CMD", "psql", "-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]
    words += ["-p", str(pooler.port), "-U", AUTH_ROLE, "-d", names[0], "-c", "SELECT 1"]
    for name in names[1:]:
        words += ["-c", f"\\connect {name}", "-c", "SELECT 1"]
    return words


def _ini(pooler: Pooler, sizes: Sizes) -> str:
    """Write pgbouncer.ini."""
    to_server = f"host={pooler.server} port={pooler.server_port}"
    lines = [_database_line(size, to_server) for size in sizes.databases]
    lines.append(
        f"{AUTH_ALIAS} = {to_server} dbname={AUTH_DATABASE} pool_mode=transaction pool_size=1 max_db_connections=1"
    )
    values = {name: value for name, value in sizes._asdict().items() if name != "databases"}
    return _INI.format(
        **values,
        databases="".join(f"{line}\n" for line in lines),
        port=pooler.port,
        socket=SOCKET_FOLDER,
        folder=CONFIG_FOLDER,
        role=AUTH_ROLE,
        alias=AUTH_ALIAS,
        schema=AUTH_SCHEMA,
        function=AUTH_FUNCTION,
    )


def _database_line(size: PoolSize, to_server: str) -> str:
    """Write the line of one database."""
    return (
        f"{size.database} = {to_server} dbname={size.database} pool_mode={size.mode} pool_size={size.pool_size} "
        f"min_pool_size={size.min_pool_size} reserve_pool={size.reserve_pool_size} "
        f"max_db_connections={size.max_db_connections}"
    )


def _hba(pooler: Pooler, sizes: Sizes) -> str:
    """Write who may connect: each user to his databases, the health check from inside, nobody else to anything.

    Without a line for it the console cannot be reached over the network; over the socket PgBouncer lets its own account
    in as the user pgbouncer, whatever this file says.
    """
    lines: list[str] = []
    for size in sizes.databases:
        database = _quoted(size.database)
        for user in size.users:
            who = f"host {database} {_quoted(user)}"
            lines += (f"{who} 0.0.0.0/0 {pooler.method}\n", f"{who} ::/0 {pooler.method}\n")
        lines.append(f"host {database} {AUTH_ROLE} 127.0.0.1/32 scram-sha-256\n")
    return "".join(lines)


def _yaml(text: str, interpolated: bool = False) -> str:
    """Quote a text for YAML; a dollar sign is Compose's only where the text is meant to hold variables."""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if interpolated else quoted.replace("$", "$$")


def _quoted(text: str) -> str:
    """Quote a text for userlist.txt and pgbouncer_hba.conf."""
    return '"' + text.replace('"', '""') + '"'


def _escaped(text: str) -> str:
    """Escape a text for a line of pgpass."""
    return text.replace("\\", "\\\\").replace(":", "\\:")
