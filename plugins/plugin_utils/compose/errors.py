# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Compose library raises. Each error is one line that a person can act on."""

from __future__ import annotations


class ComposeError(Exception):
    """A Compose file that cannot be read or understood.

    Args:
        file: name of the file as shown to people.
        line: 1-based line, or None where no single line is to blame.
        reason: what is wrong, without a final full stop.
        hint: what to do about it.
    """

    def __init__(self, file: str, line: int | None, reason: str, hint: str = "") -> None:
        super().__init__(file, line, reason, hint)
        self.file = file
        self.line = line
        self.reason = one_line(reason)
        self.hint = one_line(hint)

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.reason}; {self.hint}" if self.hint else f"{place}: {self.reason}"


class RefusedEdit(ComposeError):
    """An edit that would not be provably right, so nothing was changed."""


def one_line(text: str, limit: int = 300) -> str:
    """Return text without control characters and line breaks, cut at `limit` characters.

    Names in an error come from the file and may hold anything: an error must stay one line and not drive a terminal.
    """
    clean = "".join(character if character.isprintable() else " " for character in text[: limit + 1])
    return clean if len(clean) <= limit else clean[: limit - 3] + "..."
