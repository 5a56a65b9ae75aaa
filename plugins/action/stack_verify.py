# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that the running containers carry what the files say."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.action import ActionFailed
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.deploying import (
    DeployingAction,
    judge,
    running_services,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.stack import project_of, services_containers


class ActionModule(DeployingAction):
    """See the module's documentation."""

    OPTIONS: ClassVar[dict[str, Any]] = {"wait_timeout": {"type": "int", "default": 180}}

    def work(self) -> dict[str, Any]:
        """Compare; fail naming each difference. In check mode say what a run would find now."""
        session = self.session()
        if not session.options["engine"]:
            return {
                "changed": False,
                "differences": [],
                "msg": ["what runs is not looked at: breakwater_deploy is false"],
            }
        if self.check or not (session.written or session.deployed):
            project = project_of(session.reading, {})
            wrong, waiting, proof = judge(project, services_containers(session.reading), (), session.held)
            wrong = [] if self.check else wrong + waiting
        else:
            ran = running_services(session.reading)
            wrong, proof = self.verify(session.options, self.options["wait_timeout"], ran, session.held, session.ill)
        if wrong:
            raise ActionFailed("\n".join(["what runs is not what the files say:", *(f"  {line}" for line in wrong)]))
        if not self.check:
            self.say(proof)
        return {"changed": False, "differences": [], "msg": proof}
