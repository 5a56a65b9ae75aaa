# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a run: ``breakwater.yml``, then the options of the command line, which win."""

from __future__ import annotations

import os

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import decode, parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import PolicyError, Settings
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.settings import load_settings
from breakwater.exits import UsageError
from breakwater.inputs import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from breakwater.arguments import Options

NAME = "breakwater.yml"
COMMAND_LINE = "command line"


class SettingsFinder:
    """Finds the settings for a folder, and reads each settings file once.

    Args:
        options: the command line; its ``--config`` wins over files that are found.

    Raises:
        UsageError: an option names a control or kind that does not exist.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._by_file: dict[str, Settings] = {}
        self._found: dict[str, str] = {}
        try:
            load_settings(_from_options(options, {}), COMMAND_LINE)
        except PolicyError as error:
            raise UsageError(f"{error.key}: {error.reason}" + (f"; {error.hint}" if error.hint else "")) from None

    def for_folder(self, folder: str) -> Settings:
        """Return the settings that hold for the Compose files of a folder.

        Raises:
            ComposeError: the file cannot be read as YAML.
            PolicyError: a setting is unknown or has the wrong type.
        """
        path = self._options.config or self._find(folder)
        if path not in self._by_file:
            self._by_file[path] = self._load(path)
        return self._by_file[path]

    def _find(self, folder: str) -> str:
        """Look beside the Compose file, then at the root of its repository; empty when there is none."""
        if folder not in self._found:
            self._found[folder] = _beside_or_root(folder)
        return self._found[folder]

    def _load(self, path: str) -> Settings:
        data = _read(path) if path else {}
        return load_settings({**data, **_from_options(self._options, data)}, path or COMMAND_LINE)


def _beside_or_root(folder: str) -> str:
    beside = os.path.join("" if folder == "." else folder, NAME)
    if os.path.isfile(beside):
        return beside
    here = os.path.abspath(folder)
    while not os.path.exists(f"{here}/.git"):
        above = os.path.dirname(here)
        if above == here:
            return ""
        here = above
    path = os.path.relpath(f"{here}/{NAME}")
    return path if os.path.isfile(path) else ""


def _read(path: str) -> dict[str, Any]:
    """Read a settings file as plain data. It is YAML with the same care as a Compose file (no duplicate keys...)."""
    document = parse(decode(read_bytes(path), path), path)
    return document.data or {}


def _from_options(options: Options, data: dict[str, Any]) -> dict[str, Any]:
    """Give the command line the shape of settings; ``--ignore`` and ``--kind`` add to the file, the rest replaces."""
    given: dict[str, Any] = {}
    if options.select:
        given["select"] = options.select
    if options.ignore:
        given["ignore"] = [*_listed(data.get("ignore")), *options.ignore]
    if options.severity is not None:
        given["severity"] = options.severity
    if options.kind:
        stated = data.get("kinds")
        pairs = dict(pair.split("=", 1) for pair in options.kind)
        given["kinds"] = {**(stated if isinstance(stated, dict) else {}), **pairs}
    return given


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
