# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what Breakwater promises about speed, and fail where a promise is broken.

    bench/run              everything; what cannot run here is named
    bench/run small many   only these: small, many, editor, playbook

Promises (ratios within one run on one machine, commands in turns, medians):
  small     `breakwater scan` of one small file, whole process, takes at most 0.5 times compose-harden
  many      300 files in one call, per file, take at most 0.2 times compose-lint
  playbook  harden.yml with nothing to change takes at most 4 times an empty playbook
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import ENVIRONMENT, Times, take_turns
from peers import BIN, DCLINT, ROOT, install

SMALL = ROOT / "bench/small.yml"
CORPUS = Path(os.environ.get("BREAKWATER_CORPUS", ROOT.parent / "shared/compose-corpus"))
EMPTY_PLAYBOOK = "- hosts: all\n  gather_facts: false\n  tasks: []\n"


def show(name: str, times: Times, per: int = 1, note: str = "") -> None:
    """Print one row of a table."""
    print(f"  {name:<26}{times.median() / per * 1000:>10.2f} ms  {note}")


def judge(what: str, ratio: float, promise: float) -> bool:
    """Print a ratio against its promise."""
    kept = ratio <= promise
    print(f"  ratio {ratio:.2f} ({what}), promised at most {promise:g}: {'kept' if kept else 'BROKEN'}")
    return kept


def small() -> bool | None:
    """One small file, whole process."""
    commands = {
        "breakwater scan": [str(BIN / "breakwater"), "scan", str(SMALL)],
        "compose-harden scan": [str(BIN / "compose-harden"), "scan", str(SMALL)],
        "compose-lint": [str(BIN / "compose-lint"), str(SMALL)],
        "dclint": [str(DCLINT), str(SMALL)],
        "python -c 'import re'": [str(BIN / "python"), "-c", "import re"],
    }
    times = take_turns(commands, rounds=21, accepted=(0, 1, 2))
    print(f"One small file ({len(SMALL.read_text().splitlines())} lines), whole process")
    for name, measured in times.items():
        show(name, measured)
    return judge("against compose-harden", times["breakwater scan"].ratio(times["compose-harden scan"]), 0.5)


def corpus() -> list[str]:
    """The first 300 files of the corpus."""
    return [str(path) for path in sorted(CORPUS.glob("*.y*ml"))[:300]]


def many() -> bool | None:
    """Many files in one call."""
    files = corpus()
    if not files:
        print(f"Many files: not measured, there is no corpus at {CORPUS}")
        return None
    commands = {
        "breakwater scan": [str(BIN / "breakwater"), "scan", *files],
        "compose-lint": [str(BIN / "compose-lint"), *files],
        "dclint": [str(DCLINT), *files],
    }
    times = take_turns(commands, rounds=5, accepted=(0, 1, 2))
    print(f"{len(files)} files in one call, per file ({len(os.sched_getaffinity(0))} cores)")
    for name, measured in times.items():
        show(name, measured, len(files))
    return judge("against compose-lint", times["breakwater scan"].ratio(times["compose-lint"]), 0.2)


EDITOR = """
import sys, time
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit import Edit, apply_edits
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        text = file.read().decode("utf-8", "replace")
    start = time.perf_counter()
    try:
        document = parse(text, path)
        services = list((document.data or {}).get("services") or {})
        middle = time.perf_counter()
        apply_edits(document, [Edit("set", ("services", name, "mem_limit"), "512m") for name in services])
    except ComposeError:
        print("refused")
    else:
        print(middle - start, time.perf_counter() - middle)
"""


def editor() -> bool | None:
    """What the editor itself costs: a limit for every service of a file, read, edited and proven."""
    files = corpus()
    if not files:
        print(f"Editor: not measured, there is no corpus at {CORPUS}")
        return None
    done = subprocess.run(
        [BIN / "python", "-c", EDITOR, *files], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    edited = [(float(read), float(edit)) for read, edit in (row for row in rows if row[0] != "refused")]
    print(f"Editor, mem_limit set in every service: {len(edited)} files, {len(rows) - len(edited)} refused or invalid")
    for name, values in (("read", [row[0] for row in edited]), ("edit and prove", [row[1] for row in edited])):
        ordered = sorted(values)
        median, high = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
        print(f"  {name:<26}{median * 1000:>10.2f} ms median, {high * 1000:.2f} ms for the slowest 5 %")
    return True


def playbook() -> bool | None:
    """The no-change run of harden.yml on the example, against a playbook without tasks."""
    runner = shutil.which("ansible-playbook", path=f"{ROOT / '.venv/bin'}")
    if runner is None or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        print("Playbook: not measured, it needs ansible-playbook and a Docker Engine (make harden)")
        return None
    if not (ROOT / ".cache/example/generic-corp").is_dir():
        print("Playbook: not measured, the example does not run (make harden)")
        return None
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty.yml")
        empty.write_text(EMPTY_PLAYBOOK)
        inventory = ["-i", "inventories/example"]
        commands = {
            "harden.yml, no change": [runner, "harden.yml", *inventory],
            "empty playbook": [runner, str(empty), *inventory],
        }
        times = take_turns(commands, rounds=5, accepted=(0,), cwd=ROOT)
    print("harden.yml on the example with nothing to change")
    for name, measured in times.items():
        show(name, measured)
    return judge("against an empty playbook", times["harden.yml, no change"].ratio(times["empty playbook"]), 4)


BENCHES: dict[str, Callable[[], bool | None]] = {"small": small, "many": many, "editor": editor, "playbook": playbook}


def main() -> int:
    """Run the benches that were named, or all."""
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 64
    start = time.monotonic()
    install()
    print(
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; figures are only comparable within a run\n"
    )
    results = []
    for name in names:
        results.append(BENCHES[name]())
        print()
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if False in results else 0


if __name__ == "__main__":
    sys.exit(main())
