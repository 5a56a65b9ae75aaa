# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the controls on the stack as the tasks before have planned it."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.plan import apply_plan, make_plan
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.settings import load_settings
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack import render, verdicts
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.action import ActionFailed, StackAction
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.stack import host_of, usage_of
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.tags import chosen_by_tags, narrowed


class ActionModule(StackAction):
    """See the module's documentation."""

    OPTIONS: ClassVar[dict[str, Any]] = {"settings": {"type": "dict", "default": {}}}

    def work(self) -> dict[str, Any]:
        """Plan; nothing is written."""
        session = self.session()
        project = self.project(session)
        chosen = chosen_by_tags(self.vars.get("ansible_run_tags"), self.vars.get("ansible_skip_tags"))
        if chosen is None:
            nothing: dict[str, Any] = {"changes": [], "withheld": [], "reported": [], "budget": []}
            return {"changed": False, **nothing, "checked": [], "findings": []}
        settings = load_settings(narrowed(self.options["settings"], *chosen), f"inventory of {self.host}")
        host = host_of(session.reading, self.host)
        plan = make_plan(project, host, usage_of(session.reading), settings)
        budget = list(plan.budget.arithmetic) if plan.budget else []
        if plan.errors:
            raise ActionFailed("\n".join(["the plan is refused, nothing is written:", *plan.errors, *budget]))
        planned = apply_plan(project, plan)
        names = [document.name for document in project.files]
        texts = {
            new.name: new.text for old, new in zip(project.files, planned.files, strict=True) if old.text != new.text
        }
        changes = [render.change_record(change, names[change.file]) for change in plan.changes]
        withheld = render.withheld_lines(plan.findings)
        self.save(
            session._replace(
                texts={**session.texts, **texts},
                changes=[*session.changes, *changes],
                budget=budget or session.budget,
                withheld=[*session.withheld, *withheld],
                kinds={**session.kinds, **settings.kinds},
                max_impact=settings.max_impact,
            )
        )
        reported = render.report_lines(plan.findings)
        self.say(_summary(changes, withheld, render.report_lines(f for f in plan.findings if f.severity != "info")))
        return {
            "changed": bool(changes),
            "changes": changes,
            "withheld": withheld,
            "reported": reported,
            "budget": budget,
            "checked": verdicts.checked_controls(settings),
            "findings": [verdicts.finding_record(finding, names[finding.file]) for finding in plan.findings],
        }


def _summary(changes: list[dict[str, Any]], withheld: list[str], reported: list[str]) -> list[str]:
    """Say in few lines what the plan holds; the diff and the reasons follow when it is written."""
    services = len({change["service"] for change in changes})
    lines = [f"{len(changes)} changes on {services} services" if changes else "nothing to change"]
    lines += [f"withheld: {line}" for line in withheld]
    lines += [f"to look at: {line}" for line in reported]
    return lines
