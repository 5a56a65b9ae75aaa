# SPDX-License-Identifier: Apache-2.0
"""Counts and logs what the guard decides."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from temporalio.common import MetricCounter
from temporalio.runtime import Runtime

from breakwater.guard.decisions import FILLED, Decision
from breakwater.guard.policy import ENFORCE

LOGGER = logging.getLogger("breakwater.guard")

DECISIONS = "breakwater_guard_decisions"
RELOADS = "breakwater_guard_policy_reloads"


class Counted(NamedTuple):
    """What decisions are counted by; the labels of the metric.

    Attributes:
        action: filled, capped or refused.
        section: workflows or activities.
        setting: such as ``run_timeout``.
        type: of the workflow or activity.
        mode: enforce, or observe for what would have been done.
    """

    action: str
    section: str
    setting: str
    type: str
    mode: str


class Recorder:
    """Keeps the counts, for the SDK's metrics and for those who ask.

    Args:
        runtime: the one that the client is connected with; None: the SDK's default, as for ``Client.connect``.
    """

    def __init__(self, runtime: Runtime | None = None) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()
        self._counts: Counter[Counted] = Counter()
        self._counters: dict[str, MetricCounter] = {}

    def decided(self, section: str, name: str, mode: str, decisions: Sequence[Decision]) -> None:
        """Count decisions about one call and log those of a kind that is new.

        Args:
            section: workflows or activities.
            name: the type.
            mode: of the section.
            decisions: none is fine.
        """
        for decision in decisions:
            counted = Counted(decision.action, section, decision.setting, name, mode)
            with self._lock:
                self._counts[counted] += 1
                first = self._counts[counted] == 1
            self._counter(DECISIONS, "Values that the policy filled in, capped or refused.").add(1, counted._asdict())
            if first:
                _log(counted, decision)

    def reloaded(self, error: str) -> None:
        """Count a policy that was read again, or could not be.

        Args:
            error: what is wrong with it; '' for nothing.
        """
        counter = self._counter(RELOADS, "Changes of the policy file by result.")
        counter.add(1, {"result": "failed" if error else "loaded"})
        if error:
            LOGGER.error("the policy stays as it was: %s", error)
        else:
            LOGGER.info("the policy was read again")

    def counts(self) -> dict[Counted, int]:
        """Return how often each decision was taken."""
        with self._lock:
            return dict(self._counts)

    def _counter(self, name: str, description: str) -> MetricCounter:
        counter = self._counters.get(name)
        if counter is None:
            meter = (self._runtime or Runtime.default()).metric_meter
            counter = self._counters[name] = meter.create_counter(name, description)
        return counter


def _log(counted: Counted, decision: Decision) -> None:
    level = logging.DEBUG if counted.mode == ENFORCE and counted.action == FILLED else logging.WARNING
    LOGGER.log(
        level,
        "%s%s: %s of %s is %s: %s for %s (counted from now on, not logged)",
        "" if counted.mode == ENFORCE else "only observed: ",
        counted.section,
        decision.setting,
        counted.type,
        decision.action,
        decision.allowed,
        decision.asked or "none",
    )
