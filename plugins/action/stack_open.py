# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a run on a stack: lock, read once, settle what a killed run left."""

from __future__ import annotations

import getpass
import os
import platform
import uuid
from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.module_utils import _lock, _transport
from ansible_collections.breakwater.stack.plugins.plugin_utils.requirements import community_docker_problem
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack import variables, verdicts
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.action import (
    PROJECT_OPTIONS,
    ActionFailed,
    kinds_of,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.deploying import DeployingAction
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.session import Session
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.stack import project_of, refuse_unreadable
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.taking_back import is_own, replacements


class ActionModule(DeployingAction):
    """See the module's documentation."""

    OPTIONS: ClassVar[dict[str, Any]] = {
        "files": {"type": "list", "elements": "path", "default": []},
        "project_name": {"type": "str"},
        "env_files": {"type": "list", "elements": "path", "default": []},
        "profiles": {"type": "list", "elements": "str", "default": []},
        "docker_host": {"type": "str"},
        "docker_cli": {"type": "path"},
        "engine": {"type": "bool", "default": True},
        "generation": {"type": "str"},
        "lock_wait": {"type": "int", "default": 0},
        "lock_lifetime": {"type": "int", "default": 1800},
        "wait_timeout": {"type": "int", "default": 180},
    }

    def work(self) -> dict[str, Any]:
        """Open the run, unless an earlier task of it has."""
        variables.refuse_unknown(self.vars)
        problem = community_docker_problem() if self.options["engine"] else ""
        if problem:
            raise ActionFailed(problem)
        known = self.opened()
        if known is not None:
            return self._result(known, [])
        run_id = uuid.uuid4().hex[:12]
        session, lines = self._open(run_id)
        try:
            session, recovered = self._recover(session)
            refuse_unreadable(session.reading)
            result = self._result(session, lines + recovered)
        except Exception:
            if not self.check:
                arguments = {"project_dir": self.directory, "run_id": run_id, "outcome": "none"}
                self.target("breakwater.stack.stack_close", arguments)
            raise
        self.save(session)
        return result

    def _open(self, run_id: str) -> tuple[Session, list[str]]:
        """Take the lock and read."""
        options = {key: self.options[key] for key in PROJECT_OPTIONS if self.options.get(key) not in (None, [], "")}
        arguments = {"project_dir": self.directory, **options, "lock": not self.check}
        if not self.check:
            # The worker that runs this task ends with it; the run is its parent.
            arguments |= {"run_id": run_id, "lock_process": _lock.identify(os.getppid())}
            arguments |= {"lock_holder": f"{getpass.getuser()}@{platform.node()}"}
            arguments |= {key: self.options[key] for key in ("lock_wait", "lock_lifetime")}
        if self.options["generation"]:
            arguments["generation"] = self.options["generation"]
        opened = self.target("breakwater.stack.stack_open", arguments)
        reading = _transport.unpack(opened["reading_z"])
        lines = [opened["lock_note"]] if opened["lock_note"] else []
        lock = reading["lock"]
        if self.check and lock and not lock["stale"]:
            lines.append(f"another run works on this stack: {lock['holder']}")
        return Session(run_id, self.directory, reading, options, {}, [], [], []), lines

    def _recover(self, session: Session) -> tuple[Session, list[str]]:
        """Bring back what a killed run left half done, before anything else."""
        left = session.reading["generation"]
        if left is None or left["state"] != "open":
            return session, []
        what = f"generation {left['id']} of {left['who']} was left open by a run that did not end"
        if self.check:
            return session, [f"{what}; a run would bring it back first, and then plan anew"]
        files = [wanted.argument() for wanted in replacements(left)]
        arguments = {"project_dir": self.directory, "run_id": session.run_id, "generation": left["id"], "files": files}
        self.target("breakwater.stack.stack_restore", arguments)
        if not session.options["engine"]:
            return session._replace(reading=self.read(session.options)), [f"{what}; its files are brought back"]
        reading = self.read(session.options, usage=False)
        project, deployment = self.plan(reading, {}, left["services"])
        touched = any(is_own(entry["path"]) for entry in left["files"])
        self.carry_out(project, deployment, session.options, self.options["wait_timeout"], touched)
        reading = self.read(session.options)
        services = f", {', '.join(deployment.services)} deployed again" if deployment.needed else ""
        return session._replace(reading=reading), [f"{what}; its files are brought back{services}"]

    def _result(self, session: Session, lines: list[str]) -> dict[str, Any]:
        """Describe what was opened."""
        reading = session.reading
        project = project_of(reading, session.texts)
        kinds = kinds_of(project, {})
        self.say(lines)
        return {
            "changed": any("brought back" in line for line in lines),
            "msg": lines or [f"{reading['project']['name']}: {len(kinds)} services"],
            "run_id": session.run_id,
            "project": reading["project"]["name"],
            "services": kinds,
            "host": reading["host"],
            "last_run": verdicts.last_run(reading),
        }
