# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a reading to what the policy needs: the project, the host and what each service uses. Pure functions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils import _transport
from ..compose.document import decode
from ..compose.errors import ComposeError
from ..compose.interpolate import EnvFileError, parse_env
from ..compose.project import Project, SourceFile, load_project
from ..policy.model import HostFacts, Usage
from ..postgres.records import Sources


def project_of(reading: Mapping[str, Any], texts: Mapping[str, str]) -> Project:
    """Load the project of a reading as the tasks so far have planned it.

    Args:
        reading: what the target's reader returned.
        texts: planned text by path, over what was read.

    Raises:
        ComposeError: a file is not one that can be edited.
    """
    found = reading["project"]
    original = {entry["path"]: text_of(entry) for entry in found["files"]}
    others = {entry["path"]: entry for entry in found["referenced"]}

    def read(path: str) -> str:
        inside = os.path.relpath(path, found["directory"]) if os.path.isabs(path) else os.path.normpath(path)
        for name in (path, inside):
            if name in texts or name in others:
                return texts[name] if name in texts else text_of(others[name])
        raise FileNotFoundError(path)

    sources = [SourceFile(path, texts.get(path, text)) for path, text in original.items()]
    return load_project(sources, environment_of(reading, texts), read, strict=True, directory=found["directory"])


def sources_of(reading: Mapping[str, Any], texts: Mapping[str, str]) -> Sources:
    """Return the files with variables of a reading as the tasks so far have planned them (arguments: project_of)."""
    found = reading["project"]
    dotenv = {entry["path"]: texts.get(entry["path"], text_of(entry)) for entry in found["env_files"]}
    env_files = {
        entry["path"]: texts.get(entry["path"], text_of(entry))
        for entry in (*found["referenced"], *found["env_files"])
        if not entry["path"].endswith((".yml", ".yaml"))
    }
    return Sources(dotenv, env_files, found["env"])


def entries_of(reading: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return every file of a reading by its path: those of the project, those with variables, Breakwater's own."""
    found = reading["project"]
    kinds = ("own", "referenced", "env_files", "files")
    return {entry["path"]: entry for kind in kinds for entry in found.get(kind, ())}


def text_of(entry: Mapping[str, Any]) -> str:
    """Return the text of a file of a reading.

    Raises:
        ComposeError: not UTF-8, or not text.
    """
    return decode(_transport.decode(entry["content"]), entry["path"])


def is_as_planned(entry: Mapping[str, Any] | None, text: str, attributes: Sequence[Any] = ()) -> bool:
    """Say whether a file of a reading is as it is planned.

    Args:
        entry: the file, None where there is none.
        text: its planned text.
        attributes: planned mode, owner and group; None for what may stay.
    """
    if entry is None or text_of(entry) != text:
        return False
    keys = ("mode", "uid", "gid")
    return all(want in (None, entry[key]) for key, want in zip(keys, attributes, strict=False))


def environment_of(reading: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables as Compose has them: the environment over the files with variables.

    Args:
        reading: what the target's reader returned.
        texts: planned text by path, over what was read.

    Raises:
        ComposeError: a file with variables that Compose rejects.
    """
    found = reading["project"]
    variables: dict[str, str] = {}
    for entry in found["env_files"]:
        try:
            planned = (texts or {}).get(entry["path"])
            variables.update(parse_env(text_of(entry) if planned is None else planned, found["env"]))
        except EnvFileError as error:
            raise ComposeError(entry["path"], None, str(error), "mend it first") from None
    return {**variables, **found["env"]}


def host_of(reading: Mapping[str, Any], name: str) -> HostFacts:
    """Return the facts of the host."""
    host = reading["host"]
    return HostFacts(
        memory=host["memory"],
        cpus=float(host["cpus"] or 1),
        others_memory=host["others_memory"] or 0,
        origin=name,
    )


def usage_of(reading: Mapping[str, Any]) -> dict[str, Usage]:
    """Return what each running service uses; of several containers of a service, the most."""
    found: dict[str, Usage] = {}
    for container in services_containers(reading):
        used = container["usage"]
        if not used or used["memory"] is None:
            continue
        usage = Usage(
            memory_now=used["memory"],
            memory_peak=used["memory_peak"] or used["memory"],
            # A short window on a container that is throttled says little, so the average counts too.
            cpus_now=max(used["cpus"] or 0.0, used["cpus_average"] or 0.0),
            pids=used["pids"] or 0,
        )
        before = found.get(container["service"])
        found[container["service"]] = usage if before is None else _most(usage, before)
    return found


def _most(one: Usage, other: Usage) -> Usage:
    """Return the larger of each figure of two containers of a service."""
    return Usage(
        memory_now=max(one.memory_now, other.memory_now),
        memory_peak=max(one.memory_peak, other.memory_peak),
        cpus_now=max(one.cpus_now, other.cpus_now),
        pids=max(one.pids, other.pids),
    )


def services_containers(reading: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the containers of the project's services, without those of `docker compose run`."""
    return [item for item in reading["containers"] if item["ours"] and item["service"] and not item["oneoff"]]


def refuse_unreadable(reading: Mapping[str, Any]) -> None:
    """Refuse a project that Compose itself refuses: nobody could deploy what is planned on it.

    Raises:
        ComposeError: with Compose's own words.
    """
    found = reading["project"]
    if found["config_error"]:
        name = found["files"][0]["path"]
        raise ComposeError(name, None, f"Compose refuses the project: {found['config_error']}", "mend it first")
