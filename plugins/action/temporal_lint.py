# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a dynamic configuration file of a host."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import decode
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import SEVERITIES
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.action import ActionFailed, StackAction
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.config import read_config, reworded
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.keys import (
    DEFAULT_VERSION,
    VersionError,
    keys_of,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.lint import lint, selected, unknown_rule


class ActionModule(StackAction):
    """See the module's documentation."""

    NEEDS_PROJECT = False
    OPTIONS: ClassVar[dict[str, Any]] = {
        "path": {"type": "path", "required": True},
        "server_version": {"type": "str", "default": DEFAULT_VERSION},
        "severity": {"type": "str", "choices": list(SEVERITIES), "default": "low"},
        "ignore": {"type": "list", "elements": "str", "default": []},
        "fail_on": {"type": "str", "choices": [*SEVERITIES, "never"], "default": "high"},
    }

    def work(self) -> dict[str, Any]:
        """Read and judge; nothing is changed."""
        path, ignore = self.options["path"], self.options["ignore"]
        try:
            keys = keys_of(self.options["server_version"])
        except VersionError as error:
            raise ActionFailed(f"server_version: {error}") from None
        wrong = unknown_rule(ignore)
        if wrong:
            raise ActionFailed(f"ignore: {wrong}")
        try:
            config = read_config(decode(self.read_file(path, "dynamic configuration file"), path), path)
        except ComposeError as error:
            raise reworded(error) from None
        findings = selected(lint(config, keys), self.options["severity"], ignore)
        lines = [
            f"{path}:{found.line}: {found.severity} {found.code} {found.key}: {found.message}; {found.remedy}"
            for found in findings
        ]
        self.say(lines)
        result = {"changed": False, "findings": [found._asdict() for found in findings], "keys": len(config.entries)}
        if keys.note:
            result["note"] = keys.note
        fatal = self.options["fail_on"] != "never" and selected(findings, self.options["fail_on"])
        if fatal:
            return {**result, "failed": True, "msg": "\n".join(lines)}
        return {**result, "msg": lines or [f"{path}: no findings"]}
