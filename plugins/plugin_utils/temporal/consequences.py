# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several keys of a file mean together: limits that starve, settings that another one leaves without effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .config import DynamicConfig, Entry, Value
from .keys import Keys
from .rules import Finding, found
from .values import is_number

#: The namespace of the server's own workers.
SYSTEM_NAMESPACE = "temporal-system"

#: Long polls that one worker holds open per method: the Python SDK's default of max_concurrent_workflow_task_polls and
#: max_concurrent_activity_task_polls is 5 each.
POLLERS_PER_WORKER = 5

#: Below this a limit for everybody also starves the server's own workers in `temporal-system`, which poll with two and
#: more pollers each (service/worker/pernamespaceworker.go). Seen on 1.31.2: with 10 and with 20 their polls fail
#: ("namespace concurrent poller limit exceeded"), with 50 none does.
ENOUGH_FOR_THE_SYSTEM = 50

#: The identity of a value without constraints.
EVERYBODY = Value(None, 1).identity()

SERVICES = ("frontend", "history", "matching", "worker")


def consequences(config: DynamicConfig, keys: Keys) -> Iterator[Finding]:
    """Yield what no single value shows to be wrong.

    Args:
        config: the file.
        keys: the keys of the server's version; the rules speak of no key that it does not have.
    """
    entries = {entry.key.lower(): entry for entry in config.entries if keys.get(entry.key) is not None}
    yield from _long_polls(entries)
    yield from _overruled(entries)
    yield from _task_scheduler(entries)
    yield from _back_off(entries)
    yield from _database(entries)
    yield from _partitions(entries)
    yield from _fairness(entries)


def _values(entries: dict[str, Entry], key: str) -> tuple[Value, ...]:
    entry = entries.get(key.lower())
    return entry.values if entry else ()


def _for_all(entries: dict[str, Entry], key: str) -> Any:
    """The value of a key that holds without constraints, None for none."""
    return next((value.data for value in _values(entries, key) if not value.where()), None)


def _long_polls(entries: dict[str, Entry]) -> Iterator[Finding]:
    """A limit of concurrent long polls is one per API method and namespace, system workers included."""
    for key in ("frontend.namespaceCount", "frontend.globalNamespaceCount"):
        values = _values(entries, key)
        own = any(value.where().get("namespace") == SYSTEM_NAMESPACE for value in values)
        for value in values:
            number = value.data
            # 0 switches the limit of the whole cluster off; per instance it refuses every long poll.
            if not is_number(number) or (number == 0 and "global" in key):
                continue
            if number <= 0:
                message = "0 makes every long poll fail, so no worker gets a task"
                yield found("TL040", value.line, key, message, "write the number of pollers, or remove it", "critical")
            elif number < POLLERS_PER_WORKER:
                message = f"{number} is less than the {POLLERS_PER_WORKER} pollers of one worker of the Python SDK"
                remedy = "write at least pollers per worker x workers of the namespace"
                yield found("TL040", value.line, key, message, remedy)
            elif number < ENOUGH_FOR_THE_SYSTEM and not value.where() and not own:
                message = f"{number} for everybody also holds for {SYSTEM_NAMESPACE}, whose workers then fail to poll"
                remedy = f"add a value with constraints: {{namespace: {SYSTEM_NAMESPACE}}}, or name the tenants"
                yield found("TL040", value.line, key, message, remedy)


def _overruled(entries: dict[str, Entry]) -> Iterator[Finding]:
    """A limit for the cluster takes the place of the one for each instance."""
    pairs = (
        ("frontend.globalNamespaceRPS", "frontend.namespaceRPS"),
        ("frontend.globalNamespaceCount", "frontend.namespaceCount"),
        ("frontend.globalRPS", "frontend.rps"),
    )
    for strong, weak in pairs:
        if not is_number(_for_all(entries, strong)) or _for_all(entries, strong) <= 0:
            continue
        for value in _values(entries, weak):
            message = f"is ignored where {strong} is above 0, as it is for everybody"
            yield found("TL041", value.line, weak, message, f"remove it, or set {strong} to 0")


def _task_scheduler(entries: dict[str, Entry]) -> Iterator[Finding]:
    """The caps of the task scheduler need its limiter, and the limiter out of shadow mode."""
    switch, shadow = "history.taskSchedulerEnableRateLimiter", "history.taskSchedulerEnableRateLimiterShadowMode"
    missing = []
    if not _on(_for_all(entries, switch)):
        missing.append(f"{switch}: true")
    if _on(_for_all(entries, shadow), default=True):
        missing.append(f"{shadow}: false")
    if not missing:
        return
    caps = ("MaxQPS", "NamespaceMaxQPS", "GlobalMaxQPS", "GlobalNamespaceMaxQPS")
    for key in (f"history.taskScheduler{cap}" for cap in caps):
        for value in _values(entries, key):
            if is_number(value.data) and value.data > 0:
                message = "limits nothing while the task scheduler's limiter is off or only watches"
                yield found("TL041", value.line, key, message, f"add {' and '.join(missing)}")


def _back_off(entries: dict[str, Entry]) -> Iterator[Finding]:
    """The automatic back-off needs a threshold (DynamicRateLimitingParams: 0 means no back-off)."""
    for service in SERVICES:
        key = f"{service}.persistenceDynamicRateLimitingParams"
        for value in _values(entries, key):
            fields = {name.lower(): field for name, field in value.data.items()} if isinstance(value.data, dict) else {}
            thresholds = (fields.get("latencythreshold", 0), fields.get("errorthreshold", 0))
            if fields.get("enabled") is True and all(is_number(t) and t <= 0 for t in thresholds):
                message = "is enabled without a threshold, so it never backs off"
                yield found("TL041", value.line, key, message, "set LatencyThreshold (ms) or ErrorThreshold (0 to 1)")


def _database(entries: dict[str, Entry]) -> Iterator[Finding]:
    """A namespace's share of the database above what the service may ask in all is no limit."""
    for service in SERVICES:
        whole = _for_all(entries, f"{service}.persistenceMaxQPS")
        key = f"{service}.persistenceNamespaceMaxQPS"
        for value in _values(entries, key):
            if is_number(whole) and is_number(value.data) and value.data > whole > 0:
                message = f"{value.data} is above the {whole} of {service}.persistenceMaxQPS, so it limits nobody"
                yield found("TL041", value.line, key, message, f"write less than {whole}")


def _partitions(entries: dict[str, Entry]) -> Iterator[Finding]:
    """Written partitions must be read."""
    key = "matching.numTaskqueueWritePartitions"
    read = {value.identity(): value.data for value in _values(entries, "matching.numTaskqueueReadPartitions")}
    for value in _values(entries, key):
        # The default of both is 4 (common/dynamicconfig/shared_constants.go).
        readers = read.get(value.identity(), read.get(EVERYBODY, 4))
        if is_number(readers) and is_number(value.data) and value.data > readers:
            message = f"{value.data} partitions are written, but {readers} are read: tasks of the others wait"
            yield found("TL042", value.line, key, message, f"set matching.numTaskqueueReadPartitions to {value.data}")


def _fairness(entries: dict[str, Entry]) -> Iterator[Finding]:
    """Fairness is kept per partition, and a queue has 4 unless it is said otherwise."""
    key = "matching.enableFairness"
    read = {value.identity(): value.data for value in _values(entries, "matching.numTaskqueueReadPartitions")}
    for value in _values(entries, key):
        partitions = read.get(value.identity(), read.get(EVERYBODY, 4))
        if _on(value.data) and is_number(partitions) and partitions > 1:
            message = f"is kept within each of {partitions} partitions, which is coarse for a queue of few pollers"
            remedy = "set matching.numTaskqueueReadPartitions and numTaskqueueWritePartitions to 1 for the queue"
            yield found("TL043", value.line, key, message, remedy)


def _on(value: Any, default: bool = False) -> bool:
    """Read a switch as the server does; text counts too."""
    if value is None:
        return default
    return value is True or (isinstance(value, str) and value in ("1", "t", "T", "TRUE", "true", "True"))
