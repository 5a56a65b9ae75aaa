# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits of a Compose file that leave everything else byte for byte as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from .document import Document
from .errors import RefusedEdit


class Edit(NamedTuple):
    """One intended change of the data of a file.

    Attributes:
        op: "set" creates or replaces a key (missing parent mappings are created), "append" adds an item to a possibly
            missing list, "remove" deletes a key or an item.
        path: from the root of the document, as in ("services", "temporal", "mem_limit").
        value: plain Python value for set and append: str, int, float, bool, None, dict or list.
    """

    op: Literal["set", "append", "remove"]
    path: tuple[str | int, ...]
    value: Any = None


def apply_edits(document: Document, edits: Sequence[Edit]) -> Document:
    """Return the document with all edits made, or raise and change nothing.

    Raises:
        RefusedEdit: the edits cannot be made so that they are provably right.
    """
    if not edits:
        return document
    raise RefusedEdit(document.name, None, "editing is not there yet")
