# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that the server takes and that yet do not work as they read. Few, each with its source."""

from __future__ import annotations

from typing import Any, NamedTuple

from .keys import Setting
from .values import is_number, seconds


class Odd(NamedTuple):
    """What is odd about a value, what to do, and how bad it is."""

    what: str
    remedy: str
    severity: str


class _Range(NamedTuple):
    """The values that make sense: figures or seconds; ``why`` says what happens outside."""

    least: float | None
    most: float | None
    why: str
    severity: str = "medium"
    unit: str = ""


_NOTHING = "with a rate of 0 requests fail, those of the server's own workers too"
_RANGES: dict[str, _Range] = {
    # Seen on 1.31.2: with 0 every request fails with "rate limit exceeded", those of the server's own workers too.
    **{name: _Range(1, None, _NOTHING, "high") for name in ("frontend.rps", "frontend.namespacerps")},
    **{name: _Range(1, None, _NOTHING, "high") for name in ("history.rps", "matching.rps")},
    # Its description in common/dynamicconfig/constants.go asks for 1 or more.
    "frontend.namespaceburstratio": _Range(1, None, "a burst below the rate itself is not allowed"),
    # service/matching/config.go takes max(1, value).
    "matching.numtaskqueuereadpartitions": _Range(1, None, "less than one partition counts as one"),
    "matching.numtaskqueuewritepartitions": _Range(1, None, "less than one partition counts as one"),
    # schema/postgresql and schema/mysql: workflow_id VARCHAR(255).
    "limit.maxidlength": _Range(1, 255, "the columns of SQL databases hold 255 characters, longer ids fail there"),
    # The gRPC library refuses to receive more than 4 MiB, and the server does not raise that.
    "limit.blobsize.error": _Range(1, 4 * 1024 * 1024, "gRPC refuses requests above 4 MiB (4194304) before this limit"),
    # service/history/api/create_workflow_util.go, maxWorkflowTaskStartToCloseTimeout.
    "history.defaultworkflowtasktimeout": _Range(1, 120, "the server caps the timeout of workflow tasks", "low", "s"),
}


def out_of_range(setting: Setting, value: Any) -> Odd | None:
    """Say what is odd about a value that the server can convert, None for nothing.

    Args:
        setting: the key.
        value: plain Python data that the key takes.
    """
    limits = _RANGES.get(setting.key.lower())
    number: float | None = seconds(value) if setting.type == "duration" else value if is_number(value) else None
    if setting.type == "duration" and number is not None and number < 0:
        return Odd(f"{value} is a negative duration", "write a duration of 0 or more", "medium")
    if limits is None or number is None:
        return None
    low = limits.least is not None and number < limits.least
    high = limits.most is not None and number > limits.most
    if not low and not high:
        return None
    bound = limits.least if low else limits.most
    return Odd(
        f"{value} is {'too low' if low else 'too high'}: {limits.why}",
        f"write {bound:g}{limits.unit} or {'more' if low else 'less'}"
        if bound and bound < 10**6
        else f"write at most {bound:.0f}",
        limits.severity,
    )
