# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scan says, before any format is chosen: findings with their place, problems, and what was examined."""

from __future__ import annotations

from breakwater.mask import masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Control, Finding


class Problem:
    """A file that could not be judged, in one line; it makes the exit code 1 whatever else was found."""

    __slots__ = ("file", "hint", "line", "reason")

    def __init__(self, file: str, line: int | None, reason: str, hint: str = "") -> None:
        self.file = file
        self.line = line
        self.reason = masked(reason)
        self.hint = masked(hint)

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.reason}; {self.hint}" if self.hint else f"{place}: {self.reason}"


class Item:
    """A finding with the name of its file and the row of its control."""

    __slots__ = ("control", "file", "finding")

    def __init__(self, file: str, finding: Finding, control: Control) -> None:
        self.file = file
        self.finding = finding
        self.control = control


class Report:
    """The outcome of a scan.

    Attributes:
        items: findings, in the order of files and lines.
        problems: what could not be judged.
        files, services: names of the files and number of services that were judged.
        notes: what people should know about the run (settings file, host facts).
    """

    __slots__ = ("files", "items", "notes", "problems", "services")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.problems: list[Problem] = []
        self.files: list[str] = []
        self.services = 0
        self.notes: list[str] = []

    def open_items(self) -> list[Item]:
        """Findings that no waiver in force covers."""
        return [item for item in self.items if not item.finding.waived]

    def waived_items(self) -> list[Item]:
        """Findings that a waiver in force covers."""
        return [item for item in self.items if item.finding.waived]

    def note(self, text: str) -> None:
        """Add a note once."""
        if text not in self.notes:
            self.notes.append(text)
