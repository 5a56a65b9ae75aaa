# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits of a Compose file that leave everything else byte for byte as it was."""

from __future__ import annotations

from collections.abc import Sequence

from .change import difference, intend
from .diff import unified_diff
from .document import Document
from .edits import Edit
from .errors import RefusedEdit
from .planner import Planner
from .proof import prove
from .sharing import Sharing


def apply_edits(document: Document, edits: Sequence[Edit]) -> Document:
    """Return the document with all edits made, or raise and change nothing.

    Only lines that must change are changed. The new text is read again and proven: for every service, with merge keys,
    aliases and `extends` of the same file expanded, it holds the old data plus the intended changes and nothing else.

    Args:
        document: the document to edit; it stays as it is.
        edits: changes of the data, in their order. Those that are already in force change nothing.

    Returns:
        The edited document, or the very same document when there is nothing to change.

    Raises:
        RefusedEdit: the edits cannot be made so that they are provably right; line and reason are in the error.
    """
    target = intend(document, document.data, edits)
    if target is document.data or difference(document.data, target) is None:
        return document
    if document.root is None:  # intend() refuses a file without content
        return document
    sharing = Sharing(document, target)
    set_paths = [edit.path for edit in edits if edit.op == "set"]
    try:
        texts = Planner(document, document.root, sharing, set_paths).run()
    except ValueError:
        raise RefusedEdit(document.name, None, "the edits touch the same lines", "make them in two calls") from None
    refusal: RefusedEdit | None = None
    for text in texts:
        try:
            return prove(document, text, sharing.target, edits)
        except RefusedEdit as error:
            refusal = refusal or error
    raise refusal or AssertionError("no way to write the edit was tried")


__all__ = ["Edit", "apply_edits", "unified_diff"]
