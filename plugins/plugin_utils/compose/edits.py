# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan asks of the editor. A module of its own: a scan plans and never edits."""

from __future__ import annotations

from ..lean_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal


class Edit(NamedTuple):
    """One intended change of the data of a file.

    Attributes:
        op: "set" creates or replaces a key (missing parent mappings are created), "append" adds an item to a possibly
            missing list, "remove" deletes a key or an item.
        path: from the root of the document, as in ("services", "temporal", "mem_limit"). In a list of NAME=value
            (environment, labels, build.args, sysctls, annotations) a step may be the name.
        value: plain Python value for set and append: str, int, float, bool, None, dict or list; or data of a document.
    """

    op: Literal["set", "append", "remove"]
    path: tuple[str | int, ...]
    value: Any = None
