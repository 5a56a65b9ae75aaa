# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls chosen on the command line: `--tags BW-LIM` and `--skip-tags BW-SEC-002`. Pure functions.

One task plans all controls, so Ansible cannot skip some of them by itself: the task runs always and reads the tags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ROLE = "compose_limits"
_PREFIX = "BW-"
#: Tags that do not choose among the roles.
_GENERAL = frozenset(("all", "always", "tagged", "untagged", "never"))


def chosen_by_tags(run: Sequence[str] | None, skip: Sequence[str] | None) -> tuple[list[str], list[str]] | None:
    """Say which controls the command line selects and ignores.

    Args:
        run: the tags of `--tags`; `all` when it was not given.
        skip: the tags of `--skip-tags`.

    Returns:
        Control ids, or beginnings of them, to select (empty: all) and to ignore; None when the tags choose other roles.
    """
    wanted = [tag for tag in run or ["all"] if tag not in _GENERAL]
    selected = [tag.upper() for tag in wanted if tag.upper().startswith(_PREFIX)]
    if wanted and not selected and ROLE not in wanted:
        return None
    return selected, [tag.upper() for tag in skip or [] if tag.upper().startswith(_PREFIX)]


def narrowed(settings: Mapping[str, Any], select: Sequence[str], ignore: Sequence[str]) -> dict[str, Any]:
    """Return the settings with what the command line selects and ignores; the policy refuses ids that it does not know.

    Args:
        settings: the settings of the inventory.
        select, ignore: see chosen_by_tags.
    """
    ignored = [*(settings.get("ignore") or []), *ignore]
    return {**settings, "ignore": ignored, "select": list(select) or settings.get("select")}
