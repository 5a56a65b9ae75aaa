# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a server has read its dynamic configuration again, from its log.

The server looks at the file's time every ``pollInterval`` (60 s in the configuration of the official images) and logs
"Updated dynamic config" at the level info, or the errors of the file and "Unable to update dynamic config." at the
level error; then the old values stay (common/dynamicconfig/file_based_client.go, v1.31.2).
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

#: Time between the poll and its lines in the log, and that a slow host takes.
MARGIN_SECONDS = 5

_TAKEN = "Updated dynamic config"
_REFUSED = "Unable to update dynamic config"
_REASON = "dynamic config error"


class Verdict(NamedTuple):
    """What the log says: `taken` with its proof, or why the file was refused; neither while it says nothing."""

    taken: bool
    proof: str = ""
    refusal: str = ""


def judge(log: str, late: bool) -> Verdict:
    """Judge the log since the file was written.

    Args:
        log: its lines, JSON or text.
        late: the server must have looked at the file by now.
    """
    lines = log.splitlines()
    if any(_TAKEN in line for line in lines):
        return Verdict(True, "the server says that it has read the file")
    if any(_REFUSED in line for line in lines):
        reasons = [_reason(line) for line in lines if _REASON in line]
        return Verdict(False, refusal="; ".join(reasons) or "its log does not say why")
    if late:
        # Where the level is warn or error it says nothing of a file that it takes.
        return Verdict(True, "the server has looked at the file by now and does not complain")
    return Verdict(False)


def _reason(line: str) -> str:
    """Take the error out of a line of the log."""
    try:
        return str(json.loads(line)["error"])
    except (ValueError, KeyError, TypeError):
        return re.sub(r"^.*?dynamic config error\W*", "", line).strip() or line.strip()
