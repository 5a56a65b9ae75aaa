# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a generation back: the files, then the containers."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.deploying import DeployingAction, ill_services
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.session import Session
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.stack import services_containers
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.taking_back import (
    is_own,
    replacements,
    restored_diff,
)


class ActionModule(DeployingAction):
    """See the module's documentation."""

    OPTIONS: ClassVar[dict[str, Any]] = {
        "generation": {"type": "str", "default": "open"},
        "wait_timeout": {"type": "int", "default": 180},
    }

    def work(self) -> dict[str, Any]:
        """Restore what this run wrote (open), or a generation that was kept."""
        which = self.options["generation"]
        session = self.opened() if which == "open" else self.session()
        if session is None or (which == "open" and not (session.written or session.deployed)):
            return {"changed": False, "msg": ["this run has written nothing"], "files": [], "services": []}
        wanted_generation = session.written if which == "open" else which
        timeout = self.options["wait_timeout"]
        found = self.read_patiently(session.options, timeout, generation=wanted_generation)["generation"]
        if found is None:
            return {"changed": False, "msg": ["there is no generation to bring back"], "files": [], "services": []}
        wanted = replacements(found)
        result: dict[str, Any] = {"diff": {"prepared": restored_diff(found, wanted)}}
        if self.check:
            changed = bool(result["diff"]["prepared"])
            return {**result, "changed": changed, "msg": [f"would bring back generation {found['id']}"]}
        files = [item.argument() for item in wanted]
        arguments = {"project_dir": self.directory, "run_id": session.run_id, "generation": found["id"], "files": files}
        restored = self.target("breakwater.stack.stack_restore", arguments)
        lines = [f"generation {found['id']} is brought back"]
        if session.options["engine"]:
            pool = any(is_own(entry["path"]) for entry in found["files"])
            lines += self._deploy(session, found["services"] if which == "open" else [], pool)
        return {
            **result,
            "changed": True,
            "msg": lines,
            "files": [item["path"] for item in restored["files"] if item["action"] != "none"],
            "services": restored["services"],
        }

    def _deploy(self, session: Session, ran: list[str], pool: bool) -> list[str]:
        """Deploy the restored files, and start again what ran before this run."""
        reading = self.read_patiently(session.options, self.options["wait_timeout"], usage=False)
        project, deployment = self.plan(reading, session.kinds, ran)
        # What was ill when the run began is not the restore's to heal; what this deployment touches is.
        before = ill_services(services_containers(session.reading))
        ill = sorted(set(before) - set(deployment.services))
        self.save(session._replace(reading=reading, texts={}, deployed=True, ill=ill))
        lines = [f"{name} was ill before, and is not waited for" for name in ill]
        self.say(lines)
        self.carry_out(project, deployment, session.options, self.options["wait_timeout"], pool, ill)
        if deployment.down:
            return [*lines, "the project is down and stays down"]
        deployed = f"deployed again: {', '.join(deployment.services)}" if deployment.needed else "nothing to deploy"
        return [*lines, deployed]
