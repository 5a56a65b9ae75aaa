# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore writes for files that people have edited since, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...module_utils import _transport
from ...module_utils._project import OWN_FOLDER
from .render import masked_diff
from .rollback import TakeBackRefused, take_back


class Replacement(NamedTuple):
    """One file to be written instead of the generation's copy: what it is now and what is wanted, None for no file."""

    path: str
    current: str
    wanted: str | None
    sha256: str | None

    def argument(self) -> dict[str, Any]:
        """Return it as the target's module takes it."""
        if self.wanted is None:
            return {"path": self.path, "remove": True, "expected_sha256": self.sha256}
        content = _transport.pack_bytes(self.wanted.encode("utf-8"))
        return {"path": self.path, "content_z": content, "expected_sha256": self.sha256}


def replacements(generation: Mapping[str, Any]) -> list[Replacement]:
    """Take the generation's changes out of every file that was edited since.

    Args:
        generation: a generation with contents, as the target's reader describes it.

    Raises:
        TakeBackRefused: for a file where that cannot be done without touching an edit; shows both.
    """
    found = []
    for entry in generation["files"]:
        if is_own(entry["path"]) and entry["status"] in ("changed", "deleted"):
            found.append(_whole(entry))
        if is_own(entry["path"]) or entry["status"] != "changed":
            continue
        before, after, current = (_text(entry[f"{which}_content"]) for which in ("before", "after", "current"))
        try:
            wanted = take_back(entry["path"], before, after, current)
        except TakeBackRefused as refused:
            raise TakeBackRefused(_both(entry["path"], before, after, current, str(refused))) from None
        found.append(Replacement(entry["path"], current, wanted, entry["current_sha256"]))
    return found


def is_own(path: str) -> bool:
    """Say whether a file is one of Breakwater's own, in which nobody else's edits have to be kept."""
    return path.startswith(f"{OWN_FOLDER}/")


def _whole(entry: Mapping[str, Any]) -> Replacement:
    """Bring one of Breakwater's own files back as it was, whatever stands in its place."""
    wanted = None if entry["before_content"] is None else _text(entry["before_content"])
    return Replacement(entry["path"], _text(entry["current_content"]), wanted, entry["current_sha256"])


def restored_diff(generation: Mapping[str, Any], wanted: Sequence[Replacement]) -> str:
    """Return the diff of a restore: what is there now against what it brings back, secrets masked."""
    replaced = {item.path: item.wanted or "" for item in wanted}
    parts = []
    for entry in generation["files"]:
        path, now = entry["path"], _text(entry["current_content"])
        then = replaced.get(path, _text(entry["before_content"]))
        # Files of Breakwater's own may be secret from the first line to the last, and show only that they change.
        lines = f"--- a/{path}\n+++ b/{path}\n(a file of Breakwater's own, not shown)\n" if now != then else ""
        parts.append(lines if is_own(path) else masked_diff(path, now, then))
    return "".join(parts)


def _text(content: str | None) -> str:
    """Return the text of a copy; "" where there was no file."""
    return "" if content is None else _transport.decode(content).decode("utf-8")


def _both(path: str, before: str, after: str, current: str, why: str) -> str:
    """Show what the generation changed and what was edited since."""
    return (
        f"{why}; nothing was written. The generation changed:\n{masked_diff(path, before, after)}"
        f"Edited since:\n{masked_diff(path, after, current)}"
        "Take back the lines of the first diff by hand, or undo the second and run again."
    )
