# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the lint, and the record of what it finds.

The severity says what happens at the server: critical, it refuses the whole file (and does not start with it) or serves
no worker with it; high, a line does nothing or the opposite of what it says; medium, less than what it says; low,
likely a surprise; info, good to know.
"""

from __future__ import annotations

from typing import NamedTuple

from ..policy.model import Control

_SOURCE = "https://github.com/temporalio/temporal/blob/v1.31.2"
_LOADER = f"{_SOURCE}/common/dynamicconfig/yaml_loader.go"
_LOOKUP = f"{_SOURCE}/common/dynamicconfig/setting_gen.go"
_CONVERSION = f"{_SOURCE}/common/dynamicconfig/collection.go"
_CONSTANTS = f"{_SOURCE}/common/dynamicconfig/constants.go"
_REFERENCE = "https://docs.temporal.io/references/dynamic-configuration"


class Finding(NamedTuple):
    """Something that is wrong with a dynamic configuration file.

    Attributes:
        code: id of the rule.
        line: 1-based.
        key: the key that it is about, empty for the file.
        severity: one of :data:`..policy.model.SEVERITIES`.
        message: what is wrong, without a final full stop.
        remedy: what to do.
    """

    code: str
    line: int
    key: str
    severity: str
    message: str
    remedy: str


def _rule(code: str, title: str, severity: str, why: str, link: str) -> Control:
    return Control(code, title, why, severity, frozenset(), "report", "none", link)


RULES = {
    rule.id: rule
    for rule in (
        _rule(
            "TL001",
            "form that the server cannot decode",
            "critical",
            "The server refuses the whole file: one that runs keeps its old values, one that starts exits.",
            _LOADER,
        ),
        _rule(
            "TL002",
            "constraint that the server refuses",
            "critical",
            "An unknown constraint, or one with a value of the wrong type, makes the server refuse the whole file.",
            _LOADER,
        ),
        _rule(
            "TL003",
            "second YAML document",
            "high",
            "The server reads the first YAML document of the file and passes over the others without a word.",
            _LOADER,
        ),
        _rule(
            "TL004",
            "field that the server passes over",
            "high",
            "An entry has the fields value and constraints, in lower case; any other is ignored without a word, so a "
            "misspelt constraint makes the value hold for everybody.",
            _LOADER,
        ),
        _rule(
            "TL005",
            "key given twice",
            "high",
            "Keys are compared without regard to case; of two spellings the server takes one by chance at each load.",
            _LOADER,
        ),
        _rule(
            "TL010",
            "unknown key",
            "high",
            "The server does not know the key: it says so once in a warning, and the line does nothing.",
            _REFERENCE,
        ),
        _rule(
            "TL011",
            "key of another version",
            "high",
            "A server of this version does not know the key: it says so once in a warning, and the line does nothing.",
            _REFERENCE,
        ),
        _rule(
            "TL012",
            "workflow timeout that the server no longer sets",
            "high",
            "Temporal 1.4.0 removed the server's settings of workflow timeouts; a workflow without one runs for ever.",
            "https://github.com/temporalio/temporal/pull/995",
        ),
        _rule(
            "TL020",
            "value of the wrong type",
            "high",
            "The server cannot convert the value: it uses its default and logs a warning at every read.",
            _CONVERSION,
        ),
        _rule(
            "TL021",
            "duration without a unit",
            "info",
            "The server takes a number alone as seconds, which is easily meant otherwise.",
            _CONVERSION,
        ),
        _rule(
            "TL022",
            "value out of range",
            "medium",
            "The value is one that the server takes, but that does not work as it reads.",
            _CONSTANTS,
        ),
        _rule(
            "TL023",
            "unknown field of a structure",
            "medium",
            "The server passes over fields that a structure does not have, without a word.",
            _CONVERSION,
        ),
        _rule(
            "TL030",
            "constraint that does not fit the key",
            "high",
            "A value whose constraints the key does not depend on is never found.",
            _LOADER,
        ),
        _rule(
            "TL031",
            "constraints that are never looked up together",
            "high",
            "The server looks values up by a few fixed combinations of constraints; any other is never found.",
            _LOOKUP,
        ),
        _rule(
            "TL032",
            "same constraints twice",
            "medium",
            "Of several values with the same constraints the server takes the first.",
            _CONVERSION,
        ),
        _rule(
            "TL033",
            "value that a stronger constraint hides",
            "low",
            "The server looks for a value of the task queue's name before it looks for one of the namespace.",
            _LOOKUP,
        ),
        _rule(
            "TL040",
            "limit of long polls below what workers hold",
            "high",
            "Each poller of a worker holds one request open; above the limit polls fail, and tasks wait.",
            _CONSTANTS,
        ),
        _rule(
            "TL041",
            "setting that another one leaves without effect",
            "medium",
            "Some settings only work together with others.",
            _CONSTANTS,
        ),
        _rule(
            "TL042",
            "more write than read partitions",
            "high",
            "Tasks that are written to a partition that nobody reads wait there. Raise the read partitions first, and "
            "lower the write partitions first.",
            "https://community.temporal.io/t/12443",
        ),
        _rule(
            "TL043",
            "fairness over several partitions",
            "low",
            "Fairness is kept within each partition. With one tenant flooding a queue of few pollers, another one's "
            "95th percentile was 6.9 s over 4 partitions and 1.1 s over one (Temporal 1.31.2 on 2 cores).",
            _REFERENCE,
        ),
        _rule(
            "TL050",
            "setting that is read when the server starts",
            "info",
            "The change takes effect when the server is restarted, not when it reads the file again.",
            _CONSTANTS,
        ),
    )
}


def found(code: str, line: int, key: str, message: str, remedy: str, severity: str = "") -> Finding:
    """Make a finding of a rule, with the rule's severity unless another one is given."""
    return Finding(code, line, key, severity or RULES[code].severity, message, remedy)
