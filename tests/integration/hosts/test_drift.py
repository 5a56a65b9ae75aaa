# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift of two hosts in one check over SSH: one that was hardened, one that never was."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .conftest import SETTINGS, Hosts

#: Where Ansible would leave files; those of the engine's own health checks come and go.
LEFT = "find /tmp /root/.ansible /var/tmp -not -type d -not -name 'runc-process*' 2>/dev/null | sort"


def test_each_host_gets_its_own_verdict_and_keeps_what_it_has(stacks: Hosts, tmp_path: Path) -> None:
    first, second = stacks.names
    hardened = stacks.play("harden.yml", "--limit", first)
    assert hardened.code == 0, hardened.output
    before = {host: (stacks.listing(host), stacks.ids(host), stacks.sh(host, LEFT)) for host in stacks.names}
    command = [str(Path(sys.executable).with_name("breakwater")), "drift", "-i", str(stacks.inventory)]
    checked = subprocess.run(
        [*command, "-e", json.dumps(SETTINGS), "--report", f"json={tmp_path / 'drift.json'}"],
        env=stacks.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 2, checked.stdout + checked.stderr
    hosts = {host["name"]: host for host in json.loads((tmp_path / "drift.json").read_text())["hosts"]}
    assert {name: host["verdict"] for name, host in hosts.items()} == {first: "in sync", second: "drifted"}
    origins = {entry["origin"] for entry in hosts[second]["entries"] if entry["state"] == "drifted"}
    assert origins == {"no run has hardened this stack yet"}
    after = {host: (stacks.listing(host), stacks.ids(host), stacks.sh(host, LEFT)) for host in stacks.names}
    assert after == before
