# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys that a release of the Temporal server knows, from the table that ``scripts/temporal-keys`` makes."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("keys.tsv")

#: The release that Breakwater's reference stack runs.
DEFAULT_VERSION = "1.31.2"

#: Constraints that a setting of a scope can be given, by the names in the file, as the loader matches them
#: (common/dynamicconfig/yaml_loader.go, convertYamlConstraints, v1.31.2).
CONSTRAINTS: dict[str, frozenset[str]] = {
    "global": frozenset(),
    "namespace": frozenset({"namespace"}),
    "namespaceID": frozenset({"namespaceID"}),
    "taskQueue": frozenset({"namespace", "taskQueueName", "taskType"}),
    "shardID": frozenset({"shardID"}),
    "taskType": frozenset({"historyTaskType"}),
    "destination": frozenset({"namespace", "destination"}),
    "chasmTaskType": frozenset({"chasmTaskType"}),
}

#: The combinations that the server looks up for a scope, the strongest first, before the value without constraints
#: (common/dynamicconfig/setting_gen.go, v1.31.2). A value under any other combination is never found.
LOOKUPS: dict[str, tuple[frozenset[str], ...]] = {
    **{scope: (names,) for scope, names in CONSTRAINTS.items() if len(names) == 1},
    "global": (),
    "taskQueue": (
        frozenset({"namespace", "taskQueueName", "taskType"}),
        frozenset({"namespace", "taskQueueName"}),
        frozenset({"taskQueueName"}),
        frozenset({"namespace"}),
    ),
    "destination": (frozenset({"namespace", "destination"}), frozenset({"destination"}), frozenset({"namespace"})),
}


class VersionError(ValueError):
    """A server version that the table cannot answer for; the text is for people."""


class Setting(NamedTuple):
    """A key in a span of releases.

    Attributes:
        key: as the source writes it; the server compares without regard to case.
        scope: what its values can depend on, one of :data:`CONSTRAINTS`.
        type: bool, int, float, duration, string, map, list, struct, gradual-bool, gradual-int or any.
        since, until: first and last minor version of the span; ``until`` is empty when the newest release has it.
        default: the server's default as Go text.
        restart: True when a change takes effect only when the server starts.
        file: path in the server's source that declares the key and says what it is for.
    """

    key: str
    scope: str
    type: str
    since: str
    until: str
    default: str
    restart: bool
    file: str


class Keys:
    """The keys of one release.

    Attributes:
        minor: the minor version, ``1.31``.
        note: what people should know about the answer, empty when the table holds this version.
    """

    def __init__(self, minor: str, note: str, spans: dict[str, list[Setting]], releases: dict[str, str]) -> None:
        self.minor = minor
        self.note = note
        self._spans = spans
        self._releases = releases

    def get(self, key: str) -> Setting | None:
        """Find a key of this release, in any case."""
        here = number(self.minor)
        for setting in self._spans.get(key.lower(), ()):
            if number(setting.since) <= here and (not setting.until or here <= number(setting.until)):
                return setting
        return None

    def elsewhere(self, key: str) -> list[Setting]:
        """The spans of other releases in which a key exists that this release does not have, oldest first."""
        return [] if self.get(key) else list(self._spans.get(key.lower(), ()))

    def names(self) -> list[str]:
        """The keys of this release as the source writes them."""
        return [setting.key for lower in self._spans if (setting := self.get(lower)) is not None]

    def successor(self, gone: Setting) -> str:
        """The key of this release that took the place of one that is gone: the same last part, and not there before.

        Empty where there is none, or more than one.
        """
        if not gone.until or number(gone.until) > number(self.minor):
            return ""
        before = Keys(gone.until, "", self._spans, self._releases)
        tail = gone.key.lower().rpartition(".")[2]
        new = [name for name in self.names() if name.lower().rpartition(".")[2] == tail and before.get(name) is None]
        return new[0] if len(new) == 1 else ""

    def link(self, setting: Setting) -> str:
        """Where the source of this release declares a key."""
        return f"https://github.com/temporalio/temporal/blob/{self._releases[self.minor]}/{setting.file}"


def keys_of(version: str) -> Keys:
    """Return the keys of a server version.

    Args:
        version: ``1.31.2``, ``v1.31.2`` or ``1.31``; the patch release makes no difference to the table.

    Raises:
        VersionError: not a version, or older than the table.
    """
    spans, releases = _table()
    match = re.fullmatch(r"v?(\d{1,4})\.(\d{1,4})(?:\.\d{1,4})?(?:[-+][\w.+-]*)?", version)
    oldest, newest = next(iter(releases)), next(reversed(releases))
    if match is None:
        raise VersionError(f'"{version[:40]}" is no version of the Temporal server; write it like {DEFAULT_VERSION}')
    minor = f"{match[1]}.{match[2]}"
    if minor in releases:
        return Keys(minor, "", spans, releases)
    if number(minor) < number(oldest):
        raise VersionError(f"Temporal {minor} is older than the table, which knows {oldest} to {newest}")
    note = f"Temporal {minor} is newer than the table, which ends at {newest}; judged by {newest}"
    return Keys(newest, note, spans, releases)


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, list[Setting]], dict[str, str]]:
    """Read the table: spans by key in lower case, and the release that stands for each minor version."""
    spans: dict[str, list[Setting]] = {}
    releases: dict[str, str] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if fields[0] == "#release":
            releases[fields[1]] = fields[2]
        elif not line.startswith("#"):
            key, scope, type_, since, until, default, restart, file = fields
            setting = Setting(key, scope, type_, since, until, default, bool(restart), file)
            spans.setdefault(key.lower(), []).append(setting)
    return spans, releases


def number(minor: str) -> tuple[int, int]:
    """Make a minor version comparable: 1.9 is older than 1.31."""
    major, _dot, rest = minor.partition(".")
    return int(major), int(rest)
