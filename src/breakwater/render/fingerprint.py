# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a finding the same finding in the next run, for tools that track findings over time."""

from __future__ import annotations

import os
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from breakwater.report import Item


class Fingerprints:
    """Gives each finding of a report its fingerprint: file, service and control, but no line, because lines move.

    Several findings of one control on one service are told apart by their message, which holds the port or volume.
    """

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, item: Item) -> str:
        """Return the fingerprint, 64 hexadecimal digits."""
        finding = item.finding
        text = "\0".join((repository_path(item.file), finding.service, finding.control, finding.message))
        count = self._seen[text] = self._seen.get(text, 0) + 1
        return sha256(f"{text}\0{count}".encode("utf-8", "surrogateescape")).hexdigest()


def repository_path(name: str) -> str:
    """Make a path that is relative to the folder of the run, with "/" between its parts, as code hosts want it."""
    return (
        os.path.relpath(name).replace(os.sep, "/")
        if os.path.isabs(name)
        else os.path.normpath(name).replace(os.sep, "/")
    )
