# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import socket
import urllib.request

import pytest
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from breakwater.guard.counting import Counted, Recorder
from breakwater.guard.decisions import Decision

CAPPED = Decision("capped", "run_timeout", "2h", "1h")
FILLED = Decision("filled", "run_timeout", "", "1h")

#: A runtime that is collected can hang the process with some versions of the SDK, so that these live on.
RUNTIMES: list[Runtime] = []


def test_counts_by_everything_that_tells_decisions_apart() -> None:
    recorder = Recorder()
    for mode in ("enforce", "enforce", "observe"):
        recorder.decided("workflows", "Task", mode, [CAPPED])
    recorder.decided("workflows", "Task", "enforce", [])
    assert recorder.counts() == {
        Counted("capped", "workflows", "run_timeout", "Task", "enforce"): 2,
        Counted("capped", "workflows", "run_timeout", "Task", "observe"): 1,
    }


def test_logs_a_kind_of_decision_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "breakwater.guard")
    recorder = Recorder()
    for mode in ("enforce", "enforce", "observe"):
        recorder.decided("workflows", "Task", mode, [CAPPED, FILLED])
    assert [(record.levelname, record.getMessage().split(":")[0]) for record in caplog.records] == [
        ("WARNING", "workflows"),
        ("DEBUG", "workflows"),
        ("WARNING", "only observed"),
        ("WARNING", "only observed"),
    ]
    assert "run_timeout of Task is capped: 1h for 2h" in caplog.text


def test_the_sdk_publishes_the_counts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    RUNTIMES.append(Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address))))
    recorder = Recorder(RUNTIMES[-1])
    recorder.decided("activities", "step", "enforce", [CAPPED, CAPPED])
    recorder.reloaded("")
    recorder.reloaded("p.yml:1: wrong")
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    decided = next(line for line in lines if line.startswith("breakwater_guard_decisions{"))
    assert decided.endswith(" 2")
    for label in ('action="capped"', 'section="activities"', 'setting="run_timeout"', 'type="step"', 'mode="enforce"'):
        assert label in decided
    reloads = {line.partition('result="')[2].partition('"')[0] for line in lines if "policy_reloads{" in line}
    assert reloads == {"loaded", "failed"}
