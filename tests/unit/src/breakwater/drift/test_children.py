# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
import sys
import uuid

import pytest

from breakwater.drift import children

STUBBORN = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(flush=True); time.sleep(60)"
POLITE = "print(flush=True); import time; time.sleep(60)"


@pytest.mark.parametrize("program", [STUBBORN, POLITE])
def test_processes_end_whatever_session_they_lead(program: str) -> None:
    value = uuid.uuid4().hex
    environment = os.environ | {"BREAKWATER_TEST": value}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert children.find("BREAKWATER_TEST", value) == [process.pid]
        children.end("BREAKWATER_TEST", value, 0.5)
        assert process.wait(timeout=5) != 0
    assert children.find("BREAKWATER_TEST", value) == []
