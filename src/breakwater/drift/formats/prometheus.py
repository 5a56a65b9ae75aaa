# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics in the text format of Prometheus, for node_exporter's textfile collector.

Names and labels follow https://prometheus.io/docs/practices/naming/; the escapes of label values are those of
https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from breakwater.drift.model import IN_SYNC, INCOMPLETE, STATES, DriftReport

_Sample = tuple[dict[str, str], int]


def render(report: DriftReport) -> str:
    """Write the report as metrics."""
    counts = Counter((entry.host, entry.state) for entry in report.entries)
    hosts = [host.name for host in report.hosts]
    waivers = {
        (entry.host, entry.control, entry.service): entry.days_left
        for entry in report.entries
        if entry.days_left is not None
    }
    families = [
        _family(
            "entries",
            "Things of a state that the last check found on a host.",
            (({"host": host, "state": state}, counts[host, state]) for host in hosts for state in STATES),
        ),
        _family(
            "controls_in_sync",
            "Controls that hold on a host.",
            (({"host": host.name}, len(host.in_sync)) for host in report.hosts),
        ),
        _family(
            "host_in_sync",
            "1 where a host is as hardening leaves it.",
            (({"host": host.name}, host.verdict == IN_SYNC) for host in report.hosts),
        ),
        _family(
            "host_checked",
            "1 where everything on a host could be compared.",
            (({"host": host.name}, host.verdict not in INCOMPLETE) for host in report.hosts),
        ),
        _family(
            "waiver_days_left",
            "Days until a waiver is over; negative when it is.",
            (
                ({"host": host, "control": control, "service": service}, days)
                for (host, control, service), days in waivers.items()
            ),
        ),
        _family("complete", "1 where the last check could compare everything.", [({}, report.complete)]),
        _family("last_check_timestamp_seconds", "When the last check began.", [({}, report.at)]),
    ]
    return "".join(families)


def _family(name: str, text: str, samples: Iterable[_Sample]) -> str:
    """Write a family of gauges."""
    full = f"breakwater_drift_{name}"
    lines = [f"# HELP {full} {text}", f"# TYPE {full} gauge"]
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
        lines.append(f"{full}{{{inside}}} {int(value)}" if inside else f"{full} {int(value)}")
    return "".join(f"{line}\n" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
