# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of a run share: options, the session, the target's modules, and failures in one line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ansible import constants
from ansible.plugins.action import ActionBase

from ...module_utils import _transport
from ...module_utils._errors import StackError
from ..compose.document import MAX_BYTES
from ..compose.errors import ComposeError
from ..compose.project import Project
from ..policy.context import Stack
from ..policy.model import PolicyError, Settings
from . import session as sessions
from .masking import mask_text
from .rollback import TakeBackRefused
from .session import Session, SessionError
from .stack import project_of

#: Options of the target's modules that name a project.
PROJECT_OPTIONS = ("files", "project_name", "env_files", "profiles", "docker_host", "docker_cli", "engine")


class ActionFailed(Exception):
    """The task fails; the text is for people, secrets masked by whoever shows it."""


class StackAction(ActionBase):
    """Base of the actions: `work` returns the result, what a person must settle becomes the failure."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True
    #: Argument spec of the action; `project_dir` is added where the action works on a project.
    OPTIONS: ClassVar[dict[str, Any]] = {}
    NEEDS_PROJECT = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Check the options, do the work, and turn what went wrong into one message."""
        super().run(tmp, task_vars)
        self.vars: dict[str, Any] = task_vars or {}
        project = {"project_dir": {"type": "path", "required": True}} if self.NEEDS_PROJECT else {}
        _checked, self.options = self.validate_argument_spec({**project, **self.OPTIONS})
        try:
            return self.work()
        except (ActionFailed, ComposeError, PolicyError, StackError, SessionError, TakeBackRefused) as error:
            return {"failed": True, "changed": False, "msg": mask_text(str(error))}

    def work(self) -> dict[str, Any]:
        """Do what the action is for and return its result."""
        raise NotImplementedError

    def say(self, lines: Iterable[str]) -> None:
        """Show lines to people at once; long work is followed by them."""
        for line in lines:
            self._display.display(mask_text(f"  {self.host}: {line}"))

    @property
    def check(self) -> bool:
        """True in check mode: nothing may be touched."""
        return bool(self._task.check_mode)

    @property
    def host(self) -> str:
        """Name of the host in the inventory."""
        return str(self.vars.get("inventory_hostname", "localhost"))

    @property
    def directory(self) -> str:
        """The project folder on the target."""
        return os.path.normpath(str(self.options["project_dir"]))

    def session(self) -> Session:
        """Return the session of this run.

        Raises:
            SessionError: the stack was not opened in this run.
        """
        return sessions.load(constants.DEFAULT_LOCAL_TMP, self.host, self.directory)

    def opened(self) -> Session | None:
        """Return the session of this run, None when the stack was not opened in it."""
        try:
            return self.session()
        except SessionError:
            return None

    def save(self, session: Session) -> None:
        """Keep the session for the tasks that follow."""
        sessions.save(constants.DEFAULT_LOCAL_TMP, self.host, session)

    def forget(self) -> None:
        """End the session."""
        sessions.forget(constants.DEFAULT_LOCAL_TMP, self.host, self.directory)

    def target(self, module: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Run a module on the target and return its result.

        Raises:
            ActionFailed: the module failed; its message is the text.
        """
        result: dict[str, Any] = self._execute_module(
            module_name=module, module_args=dict(arguments), task_vars=self.vars
        )
        if result.get("unreachable"):
            raise ActionFailed(f"{self.host} cannot be reached: {result.get('msg')}")
        if result.get("failed"):
            raise ActionFailed(str(result.get("msg") or result.get("module_stderr") or f"{module} failed"))
        return result

    def read(self, options: Mapping[str, Any], **extra: Any) -> dict[str, Any]:
        """Read the stack again without touching anything.

        Args:
            options: the options that name the project, as the session keeps them.
            extra: further options of stack_info.
        """
        arguments = {"project_dir": self.directory, **options, "full": True, **extra}
        reading: dict[str, Any] = _transport.unpack(self.target("breakwater.stack.stack_info", arguments)["reading_z"])
        return reading

    def read_file(self, path: str, kind: str) -> bytes:
        """Read a file of the target; what is no plain file is refused before it is opened.

        Args:
            path: the file.
            kind: what it should be, for messages ("Compose file").

        Raises:
            ActionFailed: missing, a link, not a plain file, larger than any of its kind.
        """
        found = self.target("ansible.builtin.stat", {"path": path, "follow": False, "get_checksum": False})["stat"]
        if not found.get("exists"):
            raise ActionFailed(f"{path}: does not exist; name the {kind} on {self.host}")
        if not found.get("isreg"):
            what = "is a symbolic link" if found.get("islnk") else "is not a plain file"
            raise ActionFailed(f"{path}: {what}; name the file itself")
        if found.get("size", 0) > MAX_BYTES:
            raise ActionFailed(f"{path}: is larger than 8 MiB, which no {kind} is")
        return _transport.decode(self.target("ansible.builtin.slurp", {"src": path})["content"])

    def project(self, session: Session) -> Project:
        """Load the project as the tasks so far have planned it."""
        return project_of(session.reading, session.texts)


def plain(value: Any, name: str) -> Any:
    """Return an option of type raw as plain data: Ansible's own values carry their origin in their type.

    Args:
        value: text, number, boolean, null, list or mapping.
        name: the option, for the message.

    Raises:
        ActionFailed: something else, such as a date that YAML made of text.
    """
    try:
        return json.loads(json.dumps(value))
    except TypeError:
        raise ActionFailed(f"{name}: a {type(value).__name__} cannot be written; put it in quotes") from None


def kinds_of(project: Project, stated: Mapping[str, str]) -> dict[str, str]:
    """Return the kind of every service.

    Args:
        project: the project.
        stated: kinds that the inventory states.
    """
    stack = Stack(project, None, {}, Settings(kinds=stated))
    return {context.name: context.kind for context in stack.contexts()}
