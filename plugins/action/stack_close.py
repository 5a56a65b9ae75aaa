# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End a run: keep its generation, release the lock."""

from __future__ import annotations

import shlex
from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.module_utils import _generations, _lock
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.action import StackAction
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.session import Session

# What _lock.release does, under the same flock(2). It succeeds only when it has removed the run's own lease.
_RELEASE = "test -f {lease} && test ! -L {lease} && grep -qF {own} {lease} && rm {lease} && sync ."


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
        if session is not None and not self.check and not self._released(session):
            arguments = {"project_dir": self.directory, "run_id": session.run_id, "outcome": self.options["outcome"]}
            result = self.target("breakwater.stack.stack_close", arguments)
        self.forget()
        return {key: result[key] for key in ("changed", "generation")}

    def _released(self, session: Session) -> bool:
        """Release the lock of a run that has changed nothing, by one command: a module takes half a second more.

        Returns:
            False when there is more to be done than that, or the target lacks a tool; then the module does it all.
        """
        if session.written or session.deployed:
            return False
        code: int = self._low_level_execute_command(release_command(self.directory, session.run_id))["rc"]
        return code == 0


def release_command(directory: str, run_id: str) -> str:
    """Return the shell command that releases the lock of a run; it fails where it has not done so.

    Args:
        directory: the project folder on the target.
        run_id: the run.
    """
    own = shlex.quote(f'"run_id": "{run_id}"')
    release = _RELEASE.format(lease=_lock.FILE_NAME, own=own)
    return f"cd {shlex.quote(_generations.root_of(directory))} && flock . sh -c {shlex.quote(release)}"
