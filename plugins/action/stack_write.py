# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what the tasks of a run have planned: one diff, one generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.breakwater.stack.plugins.module_utils import _transport
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack import render
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.deploying import DeployingAction
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.session import Session
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.stack import (
    entries_of,
    is_as_planned,
    services_containers,
    text_of,
)


class ActionModule(DeployingAction):
    """See the module's documentation."""

    def work(self) -> dict[str, Any]:
        """Show the diff and write, unless in check mode."""
        session = self.session()
        entries = entries_of(session.reading)
        planned = [
            path
            for path, text in session.texts.items()
            if not is_as_planned(entries.get(path), text, session.attributes.get(path, ()))
        ]
        gone = [path for path in session.removed if path in entries]
        result: dict[str, Any] = {"changed": bool(planned or gone), "files": sorted([*planned, *gone])}
        result["generation"] = None
        if not result["changed"]:
            return result
        if session.options["engine"]:
            self.refuse_held_ports(*self.foresee(session), session)
        diffs = "".join(_diff(session, entries, path) for path in [*planned, *gone])
        explained = render.explain(session.changes, session.budget, session.withheld)
        result["diff"] = {"prepared": f"{diffs}\n{explained}"}
        if not self.check:
            result["generation"] = self._write(session, entries, planned, gone)
        return result

    def _write(self, session: Session, entries: Mapping[str, Any], planned: list[str], gone: list[str]) -> str:
        """Write on the target and note the generation."""
        # What the user's files lead to comes before them and goes after them: a run may be killed in between.
        ordered = sorted(planned, key=lambda path: path not in session.attributes)
        files = [_argument(session, entries, path) for path in ordered]
        files += [{"path": path, "remove": True, "expected_sha256": entries[path]["sha256"]} for path in gone]
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


def _diff(session: Session, entries: Mapping[str, Any], path: str) -> str:
    """Show what happens to a file; the content of one that is secret is not."""
    entry = entries.get(path)
    old = "" if entry is None else text_of(entry)
    new = "" if path in session.removed else session.texts[path]
    mode, _uid, _gid, secret = session.attributes.get(path) or (None, None, None, False)
    if secret:
        return f"--- a/{path}\n+++ b/{path}\n(its content is secret, so it is not shown)\n"
    if old == new:
        return f"--- a/{path}\n+++ b/{path}\n(mode {mode:04o} and owner are set again)\n"
    return render.masked_diff(path, old, new)


def _argument(session: Session, entries: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Give a file as the target's module takes it."""
    entry = entries.get(path)
    argument = {
        "path": path,
        "content_z": _transport.pack_bytes(session.texts[path].encode("utf-8")),
        "expected_sha256": None if entry is None else entry["sha256"],
    }
    if path in session.attributes:
        mode, uid, gid, _secret = session.attributes[path]
        argument |= {"mode": f"{mode:04o}", "uid": uid, "gid": gid}
    return argument
