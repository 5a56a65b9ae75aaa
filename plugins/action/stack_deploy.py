# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy what differs from what runs, in the order of blast radius."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack import deploy, render, verdicts
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.deploying import DeployingAction, known_hashes
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.session import Session
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.stack import (
    environment_of,
    project_of,
    services_containers,
)

NOT_ASKED = "nothing is deployed: breakwater_deploy is false"


class ActionModule(DeployingAction):
    """See the module's documentation."""

    OPTIONS: ClassVar[dict[str, Any]] = {
        "wait_timeout": {"type": "int", "default": 180},
    }

    def work(self) -> dict[str, Any]:
        """Compare and deploy."""
        session = self.session()
        if not session.options["engine"]:
            return {"changed": False, "stages": [], "updated": [], "left": [], "msg": [NOT_ASKED], "engine": False}
        if self.check and session.texts:
            return self._foretell(session)
        reading = self.read(session.options, usage=False) if session.written else session.reading
        project, deployment = self.plan(reading, session.kinds, max_impact=session.max_impact)
        self.say(_seen(deployment, session))
        if deployment.held:
            held = [need.service for need in deployment.held]
            session = session._replace(held=held)
            self.save(session)
        pool = list(session.pool.get("lines", ()))
        if not session.written:
            self.refuse_held_ports(project, deployment, session)
        if (deployment.needed or session.pool) and not self.check:
            # Said before it is begun: whatever happens from here on, containers may have changed.
            self.save(session._replace(deployed=True))
            self.carry_out(project, deployment, session.options, self.options["wait_timeout"], bool(session.pool))
        result = _result(deployment, pool + deploy.describe(deployment) or ["every container runs as the files say"])
        return {**result, "changed": result["changed"] or bool(session.pool), **self._standing(session, deployment)}

    def _foretell(self, session: Session) -> dict[str, Any]:
        """Say in check mode what the planned files would make the deployment do."""
        _project, foreseen = self.foresee(session)
        changed = {change["service"] for change in session.changes}
        costs = [
            f"{service}: {render.service_cost([c for c in session.changes if c['service'] == service])}"
            for service in foreseen.services
            if service in changed
        ]
        lines = list(session.pool.get("lines", ())) + deploy.describe(foreseen) + costs
        self.say([*_seen(foreseen, session), *lines])
        return {**_result(foreseen, lines), **self._standing(session, foreseen)}

    def _standing(self, session: Session, deployment: deploy.Deployment) -> dict[str, Any]:
        """Say in check mode how the containers stand to the files as they are now, whatever is planned."""
        if not self.check:
            return {}
        project = project_of(session.reading, {})
        active = verdicts.active_services(project, session.options, environment_of(session.reading))
        containers = services_containers(session.reading)
        hashes = known_hashes(session.reading)
        planned = self.project(session)
        records = verdicts.container_records(project, planned, containers, hashes, deployment, active)
        return {"standing": records, "down": deployment.down}


def _seen(deployment: deploy.Deployment, session: Session) -> list[str]:
    """Return what was seen to differ on running containers, a line each; what this run has changed is known already."""
    changed = {change["service"] for change in session.changes}
    needs = [*deployment.updates, *(need for stage in deployment.stages for need in stage)]
    held = [f"withheld: {line}" for line in deployment.left if "held back" in line]
    return [
        f"{need.service}: {reason}" for need in needs if need.service not in changed for reason in need.reasons
    ] + held


def _result(deployment: deploy.Deployment, lines: list[str]) -> dict[str, Any]:
    """Return the result of the task."""
    return {
        "changed": deployment.needed,
        "stages": [[need.service for need in stage] for stage in deployment.stages],
        "updated": [need.service for need in deployment.updates],
        "left": list(deployment.left),
        "msg": lines,
    }
