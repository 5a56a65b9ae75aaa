# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run knows of one stack, kept on the controller between the tasks of the run.

A session holds the reading, the texts as the tasks so far have planned them (the overlay) and the reasons. It may hold
secrets, so it lives in a file (0600) of Ansible's private temporary folder, which ends with the run; it is never a
fact, a result or an artefact.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

NOT_OPEN = (
    "the stack {directory} of {host} is not open in this run: breakwater.stack.stack_open has to run first "
    "(role breakwater, tasks_from open); a run cannot start after it, so leave --start-at-task out and use --tags"
)


class SessionError(Exception):
    """A task came without the one that opens the stack."""


class Session(NamedTuple):
    """One run on one stack.

    Attributes:
        run_id: identifies the run; the target's lock carries it.
        directory: the project folder on the target.
        reading: what the target's reader returned (see module_utils/_reader.py).
        options: files, project_name, env_files, profiles, docker_host, docker_cli as the task that opened gave them.
        texts: planned text by path for every file whose plan differs from the reading, files that appear too.
        attributes: mode, owner, group and whether the content is secret, by path, for Breakwater's own files.
        removed: paths of Breakwater's own files that are to go.
        pool: what the plan of the pool asks of the deployment, {} where there is nothing to be done.
        changes: the planned changes, as records for people and for the generation.
        budget: lines of arithmetic.
        withheld: lines about what was not planned, and why.
        written: id of the generation that this run wrote, "" before.
        deployed: whether this run has changed containers.
        kinds: kinds of services that the inventory states.
        max_impact: the most that this run may cost.
        held: services that are not deployed because that would cost more.
        ill: services that were ill before a restore, so that it does not wait for them.
    """

    run_id: str
    directory: str
    reading: dict[str, Any]
    options: dict[str, Any]
    texts: dict[str, str]
    changes: list[dict[str, Any]]
    budget: list[str]
    withheld: list[str]
    written: str = ""
    deployed: bool = False
    kinds: Mapping[str, str] = {}
    max_impact: str = "datastore_restart"
    held: Sequence[str] = ()
    attributes: Mapping[str, Sequence[Any]] = {}
    removed: Sequence[str] = ()
    pool: Mapping[str, Any] = {}
    ill: Sequence[str] = ()


def _path(folder: str, host: str, directory: str) -> str:
    """Give the file of a session; one for each host and project folder."""
    key = hashlib.sha256(f"{host}\0{os.path.normpath(directory)}".encode()).hexdigest()[:24]
    return os.path.join(folder, f"breakwater-{key}.json")


def save(folder: str, host: str, session: Session) -> None:
    """Keep a session for the tasks that follow.

    Args:
        folder: Ansible's temporary folder of this run.
        host: name of the host in the inventory.
        session: the session.
    """
    path = _path(folder, host, session.directory)
    new = f"{path}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(session._asdict(), file)
    os.replace(new, path)


def load(folder: str, host: str, directory: str) -> Session:
    """Return the session of this run.

    Raises:
        SessionError: the stack was not opened in this run.
    """
    try:
        with open(_path(folder, host, directory), encoding="utf-8") as file:
            values = json.load(file)
    except FileNotFoundError:
        raise SessionError(NOT_OPEN.format(directory=directory, host=host)) from None
    return Session(**{**values, **{key: tuple(values[key]) for key in ("held", "removed", "ill")}})


def forget(folder: str, host: str, directory: str) -> None:
    """End a session."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_path(folder, host, directory))
