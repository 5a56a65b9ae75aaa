# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the connection pool, or its removal, on the stack as the tasks before have planned it."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.module_utils import _transport
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.kinds import version_of
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import IMPACTS
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres import pool_objects, pool_plan, pool_record
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.pool_plan import PoolRefused, Subject, Wanted
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.pool_record import Record
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.pooler import AUTH_ROLE, FOLDER
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.action import ActionFailed, StackAction
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.session import Session
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.stack import (
    entries_of,
    is_as_planned,
    project_of,
    services_containers,
    sources_of,
    text_of,
)

_APPLICATION = {
    "service": {"type": "str", "required": True},
    "mode": {"type": "str", "choices": ["session", "transaction"], "default": "session"},
}
#: Fields of the result that say in lines what is found beside the changes of files.
_SAID = ("withheld", "unchecked", "differences", "reported")
# 24 random bytes, as text without characters that any of the files would have to quote.
_PASSWORD_BYTES = 24


class ActionModule(StackAction):
    """See the module's documentation."""

    OPTIONS: ClassVar[dict[str, Any]] = {
        "state": {"type": "str", "choices": ["present", "absent", "unchanged"], "default": "present"},
        "image": {"type": "str", "required": True},
        "server": {"type": "str"},
        "applications": {"type": "list", "elements": "dict", "options": _APPLICATION, "default": []},
        "temporal_version": {"type": "str"},
    }

    def work(self) -> dict[str, Any]:
        """Plan; nothing is written."""
        session = self.session()
        record = pool_record.of_reading(session.reading)
        try:
            if self.options["state"] == "absent":
                return self._remove(session, record)
            if self.options["state"] == "unchanged" and record is None:
                return self._nothing()
            return self._set_up(session, record)
        except PoolRefused as refused:
            raise ActionFailed(str(refused)) from None

    def _set_up(self, session: Session, record: Record | None) -> dict[str, Any]:
        """Plan a pool."""
        project = self.project(session)
        sources = sources_of(session.reading, session.texts)
        wanted = self._wanted()
        subject = pool_plan.subject_of(project, sources, wanted, record)
        why_not = self._why_not(session, subject)
        if subject is None or why_not:
            return self._nothing(**why_not)
        row, descriptors = self._ask(session, subject)
        known = pool_record.own_text(session.reading, f"{FOLDER}/userlist.txt")
        password = pool_record.password_of(known, AUTH_ROLE) or secrets.token_urlsafe(_PASSWORD_BYTES)
        cores = project.services[subject.server].cpus or session.reading["host"]["cpus"] or 1
        server = pool_plan.Server(row, float(cores), descriptors)
        plan = pool_plan.plan_pool(project, sources, wanted, subject, server, password, record)
        wrong = pool_objects.differences(row, plan.record.users, subject.databases, password)
        return self._keep(session, project, record, plan, wrong, pool_objects.superusers(row))

    def _wanted(self) -> Wanted:
        """Return what the inventory asks for."""
        options = self.options
        modes = {item["service"]: item["mode"] for item in options["applications"]}
        version = version_of(options["temporal_version"]) if options["temporal_version"] else None
        if options["temporal_version"] and version is None:
            raise ActionFailed(
                f"pgbouncer_temporal_version: {options['temporal_version']!r} is no version such as 1.31.2"
            )
        return Wanted(options["image"], options["server"] or "", modes, version)

    def _why_not(self, session: Session, subject: Subject | None) -> dict[str, str]:
        """Say why no pool is planned now, though nothing is wrong, by the result's field; empty when one is."""
        if subject is None:
            if self.options["applications"]:
                return {"unchecked": "no PostgreSQL service, so no pool"}
            return {"reported": "no pool: no Temporal uses a PostgreSQL of the project, and no application is named"}
        if not session.options["engine"]:
            return {"unchecked": "no pool is planned, because the engine is not asked (breakwater_deploy is false)"}
        if IMPACTS.index(session.max_impact) < IMPACTS.index("recreate"):
            most = f"the most allowed is {session.max_impact}"
            return {"withheld": f"no pool is planned: it recreates its clients, and {most}"}
        if _container(session, subject.server) is None:
            return {"unchecked": f"no pool is planned, because {subject.server} does not run and cannot be asked"}
        return {}

    def _nothing(self, **why: str) -> dict[str, Any]:
        """Plan nothing, and say why, by the result's field."""
        lines = list(why.values())
        self.say(lines)
        return _result([], lines, **{field: [line] for field, line in why.items()})

    def _reach(self, session: Session, server: str) -> dict[str, Any]:
        """Give the arguments that name the server's container on its engine."""
        engine = {key: session.options[key] for key in ("docker_host", "docker_cli") if session.options.get(key)}
        return {"container": _container(session, server), **engine}

    def _ask(self, session: Session, subject: Subject) -> tuple[dict[str, Any], int | None]:
        """Ask the server what it allows and what it has of the pool, and its container for file descriptors."""
        query = pool_objects.facts_query(subject.users, subject.databases)
        asked = {"user": subject.superuser, "query": query, "descriptors": True}
        found = self.target("breakwater.stack.postgres_sql", self._reach(session, subject.server) | asked)
        row: dict[str, Any] = _transport.unpack(found["rows_z"])[0]
        return row, found["descriptors"]

    def _keep(
        self,
        session: Session,
        project: Project,
        record: Record | None,
        plan: pool_plan.PoolPlan,
        wrong: list[str],
        superusers: list[str],
    ) -> dict[str, Any]:
        """Put the plan into the session."""
        changes = pool_plan.changes(plan, project.files[0].name, record is None)
        attributes = pool_plan.attributes(plan)
        entries = entries_of(session.reading)
        stale = [
            file.path
            for file in plan.files
            if not is_as_planned(entries.get(file.path), file.text, attributes[file.path])
        ]
        written = {file.path: file.text for file in plan.files if file.path in stale}
        texts = {**session.texts, **plan.texts, **written}
        lines = [] if record is None else [*wrong, *(f"{path}: is not as it has to be" for path in stale)]
        pool = {"service": plan.record.service, "clients": [c.service for c in plan.record.clients], "lines": lines}
        changed = bool(wrong or stale or changes)
        self.save(
            session._replace(
                texts=texts,
                attributes={**session.attributes, **attributes},
                changes=[*session.changes, *changes],
                budget=[*session.budget, *(plan.table if changed else ())],
                pool=pool if changed else {},
            )
        )
        reported = [f"{name} is a superuser; give each client a role of its own" for name in superusers if changes]
        said = [f"{change['service']}: {change['summary']}" for change in changes] + lines
        said += [f"to look at: {line}" for line in reported]
        self.say(said or ["the pool is as it has to be"])
        differences = [] if record is None else wrong
        found = {"differences": differences, "reported": reported, "table": list(plan.table)}
        return _result(changes, said, changed=changed, **found)

    def _why_kept(self, session: Session, record: Record) -> dict[str, str]:
        """Say why the pool is not removed now, by the result's field; empty when it is."""
        if not session.options["engine"]:
            return {"unchecked": "the pool stays, because the engine is not asked (breakwater_deploy is false)"}
        if IMPACTS.index(session.max_impact) < IMPACTS.index("recreate"):
            most = f"the most allowed is {session.max_impact}"
            return {"withheld": f"the pool stays: its removal recreates its clients, and {most}"}
        if record.server in self.project(session).services and _container(session, record.server) is None:
            left = "its role and function would stay behind in it; start it first"
            return {"unchecked": f"the pool stays, because {record.server} does not run: {left}"}
        return {}

    def _remove(self, session: Session, record: Record | None) -> dict[str, Any]:
        """Plan the removal of the pool."""
        if record is None:
            return self._nothing()
        why_not = self._why_kept(session, record)
        if why_not:
            return self._nothing(**why_not)
        entries = entries_of(session.reading)
        current = {path: session.texts.get(path, text_of(entries[path])) for path in record.before if path in entries}
        texts = pool_record.without_pool(record, current)
        own = [path for path in entries if pool_record.is_pools(path)]
        changes = pool_plan.removal_changes(record, next(iter(record.before), ""))
        texts = {path: text for path, text in session.texts.items() if path not in own} | texts
        reading = session.reading
        now, then = ((project_of(reading, each), sources_of(reading, each)) for each in (session.texts, texts))
        pool_plan.refuse_left_behind(record, now, then)
        self.save(
            session._replace(
                texts=texts,
                removed=[*session.removed, *own],
                attributes={**session.attributes, **dict.fromkeys(own, (None, None, None, True))},
                changes=[*session.changes, *changes],
                pool={"service": record.service, "clients": [], "lines": [f"{record.service}: is removed at the end"]},
            )
        )
        lines = [f"{change['service']}: {change['summary']}" for change in changes]
        self.say(lines)
        return _result(changes, lines, changed=True)


def _result(changes: list[dict[str, Any]], said: list[str], **more: Any) -> dict[str, Any]:
    """Return a result that has every field."""
    return {"changed": False, **{field: [] for field in (*_SAID, "table")}, "changes": changes, "msg": said, **more}


def _container(session: Session, service: str) -> str | None:
    """Return the id of a service's running container."""
    for item in services_containers(session.reading):
        if item["service"] == service and item["state"] == "running":
            return str(item["id"])
    return None
