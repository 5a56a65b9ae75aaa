# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set values in a dynamic configuration file of a host, and see the server take them or bring the old file back."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import Any, ClassVar

from ansible_collections.breakwater.stack.plugins.module_utils import _transport
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import decode
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.action import ActionFailed, StackAction, plain
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.render import masked_diff
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal import reload
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.config import read_config, reworded
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.keys import (
    DEFAULT_VERSION,
    Keys,
    VersionError,
    keys_of,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.lint import lint, selected
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.profiles import PROFILES, profile
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.rules import Finding
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.setting import (
    Wanted,
    Written,
    merged,
    problems,
    set_values,
)

_LOOK_AGAIN_SECONDS = 1.0
_VALUE = {
    "key": {"type": "str", "required": True, "no_log": False},
    "value": {"type": "raw", "required": True},
    "constraints": {"type": "dict", "default": {}},
    "reason": {"type": "str", "default": ""},
}


class ActionModule(StackAction):
    """See the module's documentation."""

    NEEDS_PROJECT = False
    OPTIONS: ClassVar[dict[str, Any]] = {
        "path": {"type": "path", "required": True},
        "project_dir": {"type": "path"},
        "values": {"type": "list", "elements": "dict", "default": [], "options": _VALUE},
        "profile": {"type": "str", "choices": list(PROFILES)},
        "fresh": {"type": "bool", "default": False},
        "server_version": {"type": "str", "default": DEFAULT_VERSION},
        "container": {"type": "str"},
        "poll_interval": {"type": "int", "default": 60},
        "docker_cli": {"type": "path", "default": "docker"},
    }

    def work(self) -> dict[str, Any]:
        """Read, plan, show, write and wait for the server."""
        path = self.options["path"]
        keys = self._keys()
        wanted = self._wanted(keys)
        raw = self.read_file(path, "dynamic configuration file")
        before, written = self._plan(path, raw, wanted, keys)
        changes = [
            {"key": change.wanted.key, "constraints": dict(change.wanted.constraints), "before": change.before}
            | {"after": change.wanted.value, "reason": change.wanted.reason}
            for change in written.changes
        ]
        result: dict[str, Any] = {
            "changed": written.text != before,
            "changes": changes,
            "generation": None,
            "proof": "",
        }
        if not result["changed"]:
            return result
        result["diff"] = {"prepared": masked_diff(path, before, written.text)}
        if self.check:
            return result
        container = self.options["container"]
        if container:
            self._refuse_single_file(container, path)
        new = written.text.encode("utf-8")
        since = self._now() if container else ""
        result["generation"] = self._write(raw, new, "dynamic configuration")
        if container:
            result["proof"] = self._prove(container, since, raw, new)
        return result

    def _keys(self) -> Keys:
        try:
            return keys_of(self.options["server_version"])
        except VersionError as error:
            raise ActionFailed(f"server_version: {error}") from None

    def _wanted(self, keys: Keys) -> list[Wanted]:
        """Give the values that are wanted, judged: ours must not be what the lint is there for."""
        chosen = self.options["profile"]
        stated = [Wanted(**item) for item in plain(self.options["values"], "values")]
        wanted = merged(profile(chosen, keys, self.options["fresh"]) if chosen else (), stated)
        if not wanted:
            raise ActionFailed("nothing is wanted: give values or a profile")
        wrong = problems(wanted, keys)
        if wrong:
            raise ActionFailed("\n".join(["these values are not written:", *map(_line, wrong)]))
        return wanted

    def _plan(self, path: str, raw: bytes, wanted: list[Wanted], keys: Keys) -> tuple[str, Written]:
        """Make the new text, and refuse one that the server would refuse or serve nobody with.

        Raises:
            ActionFailed: with a critical finding, whoever wrote what is wrong.
        """
        try:
            before = read_config(decode(raw, path), path)
            written = set_values(before, wanted, keys)
        except ComposeError as error:
            raise reworded(error) from None
        refused = selected(lint(read_config(written.text, path), keys), "critical")
        if refused and written.changes:
            raise ActionFailed(
                "\n".join(
                    [
                        "this file is not written, the server would not work with it:",
                        *(_line(one, path) for one in refused),
                    ]
                )
            )
        return before.document.text, written

    def _write(self, old: bytes, new: bytes, why: str) -> str:
        """Replace the file, if it is still the one that was read."""
        path = self.options["path"]
        content = {
            "path": path,
            "content_z": _transport.pack_bytes(new),
            "expected_sha256": hashlib.sha256(old).hexdigest(),
        }
        folder = self.options["project_dir"] or os.path.dirname(path)
        arguments = {"project_dir": folder, "standalone": True, "files": [content], "why": why}
        return str(self.target("breakwater.stack.stack_write", arguments)["generation"])

    def _prove(self, container: str, since: str, old: bytes, new: bytes) -> str:
        """Wait until the server has read the file; where it refuses it, bring the old one back.

        Raises:
            ActionFailed: the server did not take the file; the old one is back.
        """
        wait = self.options["poll_interval"] + reload.MARGIN_SECONDS
        self.say([f"waiting up to {wait} s until {container} reads its configuration again"])
        deadline = time.monotonic() + wait
        while True:
            verdict = self._verdict(container, since, time.monotonic() >= deadline)
            if verdict.taken:
                return verdict.proof
            if verdict.refusal:
                self._write(new, old, "the server refused the dynamic configuration")
                raise ActionFailed(f"{container} did not take the file, the old one is back: {verdict.refusal}")
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _verdict(self, container: str, since: str, late: bool) -> reload.Verdict:
        """Read the server's log; one that cannot be read proves nothing, so the file is not left there."""
        try:
            log = self._docker("logs", "--since", since, container)
        except ActionFailed as error:
            return reload.Verdict(False, refusal=f"its log cannot be read: {error}")
        return reload.judge(f"{log['stdout']}\n{log['stderr']}", late)

    def _refuse_single_file(self, container: str, path: str) -> None:
        """Refuse a mount of the file itself: a file that is replaced stays the old one in the container."""
        found = self._docker("inspect", "--format", "{{json .Mounts}}", container)["stdout"]
        sources = [str(mount.get("Source", "")) for mount in json.loads(found)]
        if path in sources:
            hint = f"mount its folder {os.path.dirname(path)} instead"
            raise ActionFailed(
                f"{path} is mounted into {container} as a single file, which never changes there; {hint}"
            )
        if not any(path.startswith(f"{source.rstrip('/')}/") for source in sources if source):
            raise ActionFailed(f"{path} is in no folder that is mounted into {container}; name the server's container")

    def _now(self) -> str:
        """Give the time of the engine's host, as `docker logs --since` takes it."""
        return str(self.target("ansible.builtin.command", {"argv": ["date", "+%s"]})["stdout"]).strip()

    def _docker(self, *arguments: str) -> dict[str, Any]:
        """Run a `docker` command on the target.

        Raises:
            ActionFailed: it failed; with its own words, which the module keeps apart.
        """
        argv = [self.options["docker_cli"], *arguments]
        done: dict[str, Any] = self._execute_module(
            module_name="ansible.builtin.command", module_args={"argv": argv}, task_vars=self.vars
        )
        if done.get("failed"):
            said = str(done.get("stderr") or done.get("msg")).strip().splitlines()[-1:]
            raise ActionFailed(f"docker {arguments[0]} {arguments[-1]}: {''.join(said) or 'failed'}")
        return done


def _line(found: Finding, path: str = "") -> str:
    """Put a finding in a line; without a path it is one of the values that are wanted."""
    place = f"{path}:{found.line}: " if path else ""
    return f"{place}{found.code} {found.key}: {found.message}; {found.remedy}"
