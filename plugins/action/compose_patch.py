# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change one Compose file of a host, on its own: no run, no session, no deployment."""

from __future__ import annotations

import hashlib
import os
from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.module_utils import _transport
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import decode, parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit import Edit, apply_edits
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.action import ActionFailed, StackAction, plain
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.render import masked_diff

_EDIT = {
    "op": {"type": "str", "choices": ["set", "append", "remove"], "default": "set"},
    "path": {"type": "list", "elements": "raw", "required": True},
    "value": {"type": "raw"},
}


class ActionModule(StackAction):
    """See the module's documentation."""

    NEEDS_PROJECT = False
    OPTIONS: ClassVar[dict[str, Any]] = {
        "path": {"type": "path", "required": True},
        "edits": {"type": "list", "elements": "dict", "required": True, "options": _EDIT},
    }

    def work(self) -> dict[str, Any]:
        """Read, edit, show and write."""
        path = self.options["path"]
        raw = self.read_file(path, "Compose file")
        before = parse(decode(raw, path), path)
        edits = [_edit(number, item) for number, item in enumerate(self.options["edits"])]
        after = apply_edits(before, edits)
        changed = after.text != before.text
        result: dict[str, Any] = {"changed": changed, "generation": None}
        if not changed:
            return result
        result["diff"] = {"prepared": masked_diff(path, before.text, after.text)}
        if self.check:
            return result
        content = {
            "path": os.path.basename(path),
            "content_z": _transport.pack_bytes(after.text.encode("utf-8")),
            "expected_sha256": hashlib.sha256(raw).hexdigest(),
        }
        arguments = {"project_dir": os.path.dirname(path), "standalone": True, "files": [content]}
        written = self.target("breakwater.stack.stack_write", {**arguments, "why": "compose_patch"})
        return {**result, "generation": written["generation"]}


def _edit(number: int, item: dict[str, Any]) -> Edit:
    """Turn an option into an edit; numbers address items of lists."""
    steps = plain(item["path"], f"edits[{number}].path")
    path = tuple(step if isinstance(step, int) and not isinstance(step, bool) else str(step) for step in steps)
    if not path:
        raise ActionFailed(f"edits[{number}]: path is empty; name the keys from the root of the file")
    return Edit(item["op"], path, plain(item.get("value"), f"edits[{number}].value"))
