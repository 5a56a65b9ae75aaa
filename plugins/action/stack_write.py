# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what the tasks of a run have planned: one diff, one generation."""

from __future__ import annotations

from typing import Any

from ansible_collections.breakwater.stack.plugins.module_utils import _transport
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack import render
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.action import StackAction
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.session import Session
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.stack import services_containers, text_of


class ActionModule(StackAction):
    """See the module's documentation."""

    def work(self) -> dict[str, Any]:
        """Show the diff and write, unless in check mode."""
        session = self.session()
        entries = {entry["path"]: entry for entry in session.reading["project"]["files"]}
        planned = {path: text for path, text in session.texts.items() if text != text_of(entries[path])}
        result: dict[str, Any] = {"changed": bool(planned), "files": sorted(planned), "generation": None}
        if not planned:
            return result
        diffs = "".join(render.masked_diff(path, text_of(entries[path]), text) for path, text in planned.items())
        explained = render.explain(session.changes, session.budget, session.withheld)
        result["diff"] = {"prepared": f"{diffs}\n{explained}"}
        if not self.check:
            result["generation"] = self._write(session, entries, planned)
        return result

    def _write(self, session: Session, entries: dict[str, Any], planned: dict[str, str]) -> str:
        """Write on the target and note the generation."""
        files = [
            {
                "path": path,
                "content_z": _transport.pack_bytes(text.encode("utf-8")),
                "expected_sha256": entries[path]["sha256"],
            }
            for path, text in planned.items()
        ]
        arguments = {
            "project_dir": self.directory,
            "run_id": session.run_id,
            "files": files,
            "why": f"{len(session.changes)} changes by controls",
            "changes": session.changes,
            # Those that run: whoever brings this generation back sees to it that they run again.
            "services": sorted({change["service"] for change in session.changes} & self._running(session)),
        }
        generation: str = self.target("breakwater.stack.stack_write", arguments)["generation"]
        self.save(session._replace(written=generation))
        return generation

    @staticmethod
    def _running(session: Session) -> set[str]:
        """Give the services that run."""
        return {item["service"] for item in services_containers(session.reading) if item["state"] == "running"}
