# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pool costs and saves: a thousand clients in front of a hundred connections, and the stall of a cut-over.

`.venv/bin/python bench/pool.py` needs the ground's engine and a machine with nothing else to do.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from pooled import PASSWORDS, Stack  # noqa: E402 # found by the line above

#: The pool admits 1,000; its health check and the application of the stack are among them.
CLIENTS = 990
FEW = 8
SCALE = 20
SECONDS = 15
SAMPLE_SECONDS = 0.1


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), connections=100)
        try:
            stack.up()
            stack.inventory_with(pgbouncer_applications=[{"service": "app", "mode": "transaction"}])
            print(f"cut-over: longest stall of a client that counts every 0.2 s: {stall(stack):.1f} s")
            stack.sql("GRANT CREATE ON SCHEMA public TO shop")
            pgbench(stack, f"-i -q -s {SCALE} -h db -p 5432")
            best = load(stack, "db", 5432, FEW)
            pooled = load(stack, "pgbouncer", 6432, CLIENTS)
            direct = load(stack, "db", 5432, CLIENTS)
            print(f"{FEW} clients, direct: {best[0]:.0f} transactions/s")
            said = pooled[1] or "nobody refused"
            print(f"{CLIENTS} clients, pool: {pooled[0]:.0f}/s, {pooled[0] / best[0]:.2f} x; {said}")
            print(f"{CLIENTS} clients, direct: {direct[0]:.0f}/s; {direct[1] or 'nobody refused'}")
        finally:
            stack.down()


def stall(stack: Stack) -> float:
    """Set the pool up while the application works; return the longest time in which it did not, in seconds."""
    done = threading.Event()
    gaps = [0.0]

    def watch() -> None:
        last, since = stack.sql("SELECT n FROM counter"), time.monotonic()
        while not done.is_set():
            time.sleep(SAMPLE_SECONDS)
            now = stack.sql("SELECT n FROM counter")
            if now != last:
                gaps.append(time.monotonic() - since)
                last, since = now, time.monotonic()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        stack.harden()
    finally:
        done.set()
        watcher.join()
    return max(gaps)


def load(stack: Stack, host: str, port: int, clients: int) -> tuple[float, str]:
    """Run pgbench's own transactions with many clients; return how many a second, and the first refusal, if any."""
    # Not -M prepared: pgbench then waits for one client while others of the same thread hold the pool's connections.
    printed = pgbench(stack, f"-n -N -M extended -c {clients} -j 2 -T {SECONDS} -h {host} -p {port}")
    rate = re.search(r"tps = ([\d.]+)", printed)
    refused = re.search(r"FATAL:.*", printed)
    return float(rate[1]) if rate else 0.0, refused[0] if refused else ""


def pgbench(stack: Stack, options: str) -> str:
    """Run pgbench in the server's container as the application's user and return what it prints."""
    script = f"export PGPASSWORD={PASSWORDS['APP_PASSWORD']}; pgbench {options} -U shop shop 2>&1"
    command = ["docker", "exec", "-i", f"{stack.name}-db-1", "sh", "-s"]
    return subprocess.run(command, input=script, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    main()
