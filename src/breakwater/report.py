# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scan says, before any format is chosen: findings with their place, problems, and what was examined."""

from __future__ import annotations

from ansible_collections.breakwater.stack.plugins.module_utils._printable import printable
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.controls import control
from breakwater.mask import masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Control, Finding, Settings


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
        return printable(f"{place}: {self.reason}; {self.hint}" if self.hint else f"{place}: {self.reason}")


class Item:
    """A finding with the name of its file."""

    __slots__ = ("file", "finding")

    def __init__(self, file: str, finding: Finding) -> None:
        self.file = file
        self.finding = finding

    @property
    def control(self) -> Control:
        """The row of the finding's control."""
        return control(self.finding.control)


class Report:
    """The outcome of a scan.

    Attributes:
        items: findings, in the order of files and lines.
        problems: what could not be judged.
        files, services: names of the files and number of services, or of what `noun` says, that were judged.
        notes: what people should know about the run (settings file, host facts).
        settings: the settings that were used, each with the names of the services of a project.
    """

    __slots__ = ("files", "items", "notes", "noun", "problems", "services", "settings")

    def __init__(self, noun: str = "service") -> None:
        self.noun = noun
        self.items: list[Item] = []
        self.problems: list[Problem] = []
        self.files: list[str] = []
        self.services = 0
        self.notes: list[str] = []
        self.settings: list[tuple[Settings, list[str]]] = []

    def add(self, part: Report) -> None:
        """Take the report of one project into that of the run."""
        self.items.extend(part.items)
        self.problems.extend(part.problems)
        self.files.extend(part.files)
        self.services += part.services
        self.settings.extend(part.settings)
        for note in part.notes:
            self.note(note)

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
