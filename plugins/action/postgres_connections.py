# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show who is connected to the PostgreSQL of a stack, and whether that is well."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.connections import LEVELS, Thresholds
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.connections_subject import (
    SubjectError,
    examine,
    find_subject,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.screen import lines
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.action import ActionFailed, StackAction

_PROJECT: dict[str, Any] = {
    "files": {"type": "list", "elements": "path", "default": []},
    "project_name": {"type": "str"},
    "env_files": {"type": "list", "elements": "path", "default": []},
    "profiles": {"type": "list", "elements": "str", "default": []},
    "docker_host": {"type": "str"},
    "docker_cli": {"type": "path"},
}
_THRESHOLDS = {name: {"type": "float", "default": value} for name, value in Thresholds()._asdict().items()}


class ActionModule(StackAction):
    """See the module's documentation."""

    OPTIONS: ClassVar[dict[str, Any]] = {
        **_PROJECT,
        "service": {"type": "str", "default": ""},
        "role": {"type": "str", "default": ""},
        "database": {"type": "str", "default": ""},
        "kinds": {"type": "dict", "default": {}},
        "fail_on": {"type": "str", "choices": ["warning", "critical", "never"], "default": "critical"},
        "thresholds": {"type": "dict", "default": {}, "options": _THRESHOLDS},
    }

    def work(self) -> dict[str, Any]:
        """Read the stack, look at its PostgreSQL, judge; fail where the verdict asks for it."""
        given = {key: self.options[key] for key in _PROJECT if self.options.get(key) not in (None, [], "")}
        try:
            subject = find_subject(self.read(given, usage=False), self.options["service"], self.options["kinds"])
        except SubjectError as error:
            raise ActionFailed(str(error)) from None
        arguments = {
            "project_dir": self.directory,
            "project_name": subject.project,
            "container": subject.container,
        }
        arguments |= {key: given[key] for key in ("docker_host", "docker_cli") if key in given}
        arguments |= {key: self.options[key] for key in ("role", "database")}
        facts = self.target("breakwater.stack.postgres_connections", arguments)["facts"]
        report = examine(subject, facts, Thresholds(**self.options["thresholds"]))
        shown = lines(report)
        fail_on = self.options["fail_on"]
        if fail_on != "never" and LEVELS.index(report["verdict"]) >= LEVELS.index(fail_on):
            raise ActionFailed("\n".join(shown))
        self.say(shown)
        return {"changed": False, "verdict": report["verdict"], "msg": shown, "report": report}
