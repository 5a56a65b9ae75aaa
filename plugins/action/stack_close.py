# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End a run: keep its generation, release the lock."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.action import StackAction


class ActionModule(StackAction):
    """See the module's documentation."""

    OPTIONS: ClassVar[dict[str, Any]] = {
        "run_id": {"type": "str"},
        "outcome": {"type": "str", "choices": ["kept", "none"], "default": "kept"},
    }

    def work(self) -> dict[str, Any]:
        """Close the session, and on the target what it opened there."""
        session = self.opened() if self.options["outcome"] == "none" else self.session()
        result: dict[str, Any] = {"changed": False, "generation": None}
        if session is not None and not self.check:
            arguments = {"project_dir": self.directory, "run_id": session.run_id, "outcome": self.options["outcome"]}
            result = self.target("breakwater.stack.stack_close", arguments)
        self.forget()
        return {key: result[key] for key in ("changed", "generation")}
