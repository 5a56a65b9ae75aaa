# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lint of a dynamic configuration file: what the server refuses, passes over, or takes otherwise than it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from ..policy.model import SEVERITIES
from . import constraints
from .config import DynamicConfig, Entry, Value
from .consequences import consequences
from .constraints import NAMES
from .keys import CONSTRAINTS, LOOKUPS, Keys, Setting, number
from .ranges import out_of_range
from .rules import RULES, Finding, found
from .values import conversion_problem, is_number, shown, unknown_fields

#: Settings that commit 2b63e6f5b6 (v1.4.0) deleted.
REMOVED_TIMEOUTS = frozenset(
    {
        "history.defaultworkflowexecutiontimeout",
        "history.defaultworkflowruntimeout",
        "history.maximumworkflowexecutiontimeout",
        "history.maximumworkflowruntimeout",
        "system.maxworkflowtasktimeout",
    }
)
#: Names that are looked for among all keys cost 10 ms each; a file with more unknown keys is of something else.
MOST_SUGGESTIONS = 50


def lint(config: DynamicConfig, keys: Keys) -> list[Finding]:
    """Judge a dynamic configuration file.

    Args:
        config: the file.
        keys: the keys of the server's version.

    Returns:
        The findings in the order of the lines.
    """
    findings: list[Finding] = []
    if config.later is not None:
        findings.append(
            found("TL003", config.later, "", "a second YAML document begins here", "move its keys into the first one")
        )
    unknown = [entry for entry in config.entries if keys.get(entry.key) is None]
    findings.extend(_unknown(entry, keys, index < MOST_SUGGESTIONS) for index, entry in enumerate(unknown))
    seen: dict[str, Entry] = {}
    for entry in config.entries:
        first = seen.setdefault(entry.key.lower(), entry)
        if first is not entry:
            message = f"is the same key as {first.key} on line {first.line}"
            findings.append(found("TL005", entry.line, entry.key, message, "keep one of them"))
        findings.extend(_entry_findings(entry, keys))
    findings.extend(consequences(config, keys))
    return sorted(findings, key=lambda finding: (finding.line, finding.code))


def _entry_findings(entry: Entry, keys: Keys) -> Iterator[Finding]:
    """Yield what is wrong with one key by itself."""
    for line, reason in entry.broken:
        remedy = "write a list under the key: - value: ..., and under it constraints: {...} where it is not for all"
        yield found("TL001", line, entry.key, reason, remedy)
    setting = keys.get(entry.key)
    if setting is not None and setting.restart and entry.values:
        yield found("TL050", entry.line, entry.key, "is read when the server starts", "restart the server to apply it")
    for value in entry.values:
        yield from _form(entry, value, keys)
        if setting is not None:
            yield from _value(entry, value, setting)
            yield from _scope(entry, value, setting)
    if setting is not None:
        yield from _among(entry, setting)


def _unknown(entry: Entry, keys: Keys, suggest: bool) -> Finding:
    """Say what an unknown key is, and where it is wanted what it may have been meant to be."""
    lower = entry.key.lower()
    if lower in REMOVED_TIMEOUTS:
        remedy = (
            "remove the line; workers and clients enforce timeouts: "
            "give the execution timeout when a workflow is started"
        )
        return found("TL012", entry.line, entry.key, "does nothing: it was removed in Temporal 1.4.0", remedy)
    elsewhere = keys.elsewhere(entry.key)
    if elsewhere:
        first, last = elsewhere[0].since, elsewhere[-1].until
        when = f"the releases {first} to {last}" if last else f"{first} and later"
        successor = keys.successor(elsewhere[-1])
        remedy = (
            f'use "{successor}"' if successor else "remove it, or state the version of the server that reads the file"
        )
        return found("TL011", entry.line, entry.key, f"is not a key of Temporal {keys.minor}, only of {when}", remedy)
    names = {name.lower(): name for name in keys.names()} if suggest else {}
    close = get_close_matches(lower, names, 1, 0.8)
    remedy = f'did you mean "{names[close[0]]}"?' if close else "check its name in the reference"
    return found("TL010", entry.line, entry.key, f"is not a key of Temporal {keys.minor}", remedy)


def _form(entry: Entry, value: Value, keys: Keys) -> Iterator[Finding]:
    """Yield what is wrong with the form of one value and its constraints."""
    for name, line in value.unknown:
        close = get_close_matches(name.lower(), ("value", "constraints"), 1)
        remedy = f'write "{close[0]}"' if close else "remove it; an entry has value and constraints"
        yield found("TL004", line, entry.key, f'the field "{name}" is passed over', remedy)
    if not value.given:
        yield found("TL004", value.line, entry.key, "an entry has no value", "write value: ...")
    for constraint in value.constraints:
        proper = NAMES.get(constraint.name.lower())
        if proper is None or constraints.SINCE.get(proper, (0, 0)) > number(keys.minor):
            close = get_close_matches(constraint.name.lower(), NAMES, 1)
            remedy = f'did you mean "{NAMES[close[0]]}"?' if close and proper is None else ""
            remedy = remedy or f"constraints are {', '.join(NAMES.values())}"
            yield found("TL002", constraint.line, entry.key, f'there is no constraint "{constraint.name}"', remedy)
            continue
        expected = constraints.problem(proper, constraint.value, number(keys.minor))
        if expected:
            message = f"the constraint {proper} is {shown(constraint.value)}"
            yield found("TL002", constraint.line, entry.key, message, expected)


def _value(entry: Entry, value: Value, setting: Setting) -> Iterator[Finding]:
    """Yield what is wrong with a value for its key."""
    if not value.given:
        return
    wrong = conversion_problem(setting, value.data)
    if wrong is not None:
        message = f"the value {wrong.what}, but the key takes {_TYPES[setting.type]}"
        yield found("TL020", value.line, entry.key, message, wrong.remedy)
        return
    for name in unknown_fields(setting, value.data):
        yield found("TL023", value.line, entry.key, f'the value has no field "{name}"', "check its name")
    if setting.type == "duration" and is_number(value.data) and value.data:
        message = f"{value.data} means {value.data} seconds"
        yield found("TL021", value.line, entry.key, message, f"write {value.data}s")
    odd = out_of_range(setting, value.data)
    if odd is not None:
        yield found("TL022", value.line, entry.key, odd.what, odd.remedy, odd.severity)


_TYPES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "duration": "a duration",
    "string": "text",
    "map": "a mapping",
    "struct": "a mapping",
    "list": "a list",
    "gradual-bool": "true or false, or a gradual change",
    "gradual-int": "a whole number, or a gradual change",
}


def _scope(entry: Entry, value: Value, setting: Setting) -> Iterator[Finding]:
    """Yield the constraints under which the server never finds a value."""
    names = [NAMES[c.name.lower()] for c in value.constraints if c.name.lower() in NAMES]
    allowed = CONSTRAINTS[setting.scope]
    strange = [name for name in names if name not in allowed]
    if strange:
        what = f"{' and '.join(sorted(allowed))}" if allowed else "no constraint: it holds for the whole server"
        message = f"does not depend on {', '.join(strange)}, so this value is never found"
        yield found("TL030", value.constraints[0].line, entry.key, message, f"the key takes {what}")
        return
    combination = frozenset(value.where())
    if combination and combination not in LOOKUPS[setting.scope]:
        known = "; ".join(" + ".join(sorted(lookup)) for lookup in LOOKUPS[setting.scope])
        message = f"is never looked up by {' + '.join(sorted(combination))}"
        yield found("TL031", value.constraints[0].line, entry.key, message, f"the server looks for: {known}")


def _among(entry: Entry, setting: Setting) -> Iterator[Finding]:
    """Yield values that other values of the same key leave without effect."""
    seen: dict[str, Value] = {}
    for value in entry.values:
        if any(constraint.name.lower() not in NAMES for constraint in value.constraints):
            continue
        first = seen.setdefault(value.identity(), value)
        if first is not value:
            message = f"the value on line {first.line} has the same constraints and comes first"
            yield found("TL032", value.line, entry.key, message, "remove one of the two")
    if setting.scope not in ("taskQueue", "destination"):
        return
    narrow = {"taskQueue": "taskQueueName", "destination": "destination"}[setting.scope]
    by_name = [value for value in entry.values if set(value.where()) == {narrow}]
    for value in entry.values:
        if set(value.where()) == {"namespace"} and by_name:
            message = f"for {narrow} {by_name[0].where()[narrow]} line {by_name[0].line} holds, in this namespace too"
            remedy = f"give that value the namespace as well, or add one for namespace + {narrow}"
            yield found("TL033", value.line, entry.key, message, remedy)


def selected(findings: list[Finding], severity: str, ignore: Sequence[str] = ()) -> list[Finding]:
    """Leave out what is not asked for.

    Args:
        findings: of one file.
        severity: the least that counts, one of :data:`..policy.model.SEVERITIES`.
        ignore: rules to leave out: codes or their beginnings.
    """
    least = SEVERITIES.index(severity)
    return [
        finding
        for finding in findings
        if SEVERITIES.index(finding.severity) >= least and not finding.code.startswith(tuple(ignore))
    ]


def unknown_rule(ignore: Sequence[str]) -> str:
    """Say which of the rules to leave out is none, empty when all are."""
    for prefix in ignore:
        if not any(code.startswith(prefix) for code in RULES):
            return f'"{prefix}" is no rule nor the beginning of one; rules are {min(RULES)} to {max(RULES)}'
    return ""
