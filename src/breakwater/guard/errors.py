# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a policy file, said in one line."""

from __future__ import annotations


class PolicyError(ValueError):
    """A policy file that cannot be used.

    Attributes:
        file: its name.
        line: from 1; 0 where no line is to blame.
        key: the path of the key, such as ``workflows.types.Import.run_timeout``; '' for the file as a whole.
        reason: what is wrong.
        hint: what to do.
    """

    def __init__(self, file: str, line: int, key: str, reason: str, hint: str) -> None:
        super().__init__(file, line, key, reason, hint)
        self.file = file
        self.line = line
        self.key = key
        self.reason = reason
        self.hint = hint

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key + ': ' if self.key else ''}{self.reason}; {self.hint}"


class PolicyContradiction(PolicyError):
    """A file in the right shape whose statements exclude one another. A JSON schema cannot see these."""
