# SPDX-License-Identifier: GPL-3.0-or-later
"""A canary is hunted in all that a run shows and leaves."""

from __future__ import annotations

import stat
import subprocess
import threading
from pathlib import Path

from stacks import Stack

CANARY = "c4n4ry-b1rd-7f3a"


def with_secrets(stack: Stack) -> None:
    """Put the canary where people put secrets."""
    text = stack.file.read_text()
    text = text.replace('--save ""', f'--save "" --requirepass {CANARY}')
    text = text.replace('["CMD", "redis-cli", "ping"]', f'["CMD", "redis-cli", "-a", "{CANARY}", "ping"]')
    text = text.replace(
        "      - MODE=quiet\n",
        f"      - APP_PASSWORD={CANARY}\n"
        f"      - DATABASE_URL=postgresql://app:{CANARY}@db/app\n"
        "      - KEY=${API_KEY}\n",
    )
    stack.file.write_text(text)
    with (stack.folder / ".env").open("a") as env:
        env.write(f"API_KEY={CANARY}\n")


def watch_processes(seen: set[str], stop: threading.Event) -> None:
    """Note the arguments of Ansible's and our processes that show the canary (the engine's own show it anyway)."""
    while not stop.wait(0.02):
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if CANARY in " ".join(words) and any("ansible" in word for word in words[:3]):
                seen.add(" ".join(words)[:200])


def readable_by_others(folder: Path) -> list[Path]:
    """Files with the canary that others than their owner may read."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o044:
            parents = [parent for parent in path.parents if folder in parent.parents]
            closed = any(not stat.S_IMODE(parent.stat().st_mode) & 0o011 for parent in parents)
            if not closed and CANARY.encode() in path.read_bytes():
                found.append(path)
    return found


def test_no_output_shows_the_canary(stack: Stack, tmp_path: Path) -> None:
    with_secrets(stack)
    stack.up()
    log = tmp_path / "ansible.log"
    seen: set[str] = set()
    stop = threading.Event()
    watcher = threading.Thread(target=watch_processes, args=(seen, stop))
    watcher.start()
    try:
        runs = [stack.harden("-vvv", "--diff", *more, ANSIBLE_LOG_PATH=str(log)) for more in (["--check"], [])]
        # A deployment that fails shows logs and Compose's errors.
        stack.file.write_text(
            stack.file.read_text().replace("image: ${REDIS_IMAGE}\n", "image: breakwater.test/no:1\n")
        )
        runs.append(stack.harden("-vvv", "--diff", ANSIBLE_LOG_PATH=str(log)))
        runs.append(stack.play("rollback", "-vvv", "--diff", ANSIBLE_LOG_PATH=str(log)))
    finally:
        stop.set()
        watcher.join()
    assert [run.code for run in runs[:3]] == [0, 0, 2], runs[2].text[-2000:]
    for run in runs:
        shown = [line for line in run.text.splitlines() if CANARY in line]
        assert shown == []
    assert CANARY not in log.read_text()
    assert seen == set()
    users_own = {stack.file, stack.folder / ".env"}
    assert [path for path in readable_by_others(stack.folder) if path not in users_own] == []


def test_the_canary_is_still_at_work(stack: Stack) -> None:
    with_secrets(stack)
    stack.up()
    assert stack.harden().code == 0
    assert f"--requirepass {CANARY}" in stack.file.read_text()
    answer = subprocess.run(
        ["docker", "exec", f"{stack.name}-cache-1", "redis-cli", "-a", CANARY, "ping"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "PONG"


def test_the_log_of_a_container_that_fails_is_masked(stack: Stack) -> None:
    says = f"echo user app password={CANARY}; echo postgresql://app:{CANARY}@db/app refused"
    text = stack.file.read_text().replace('["sleep", "infinity"]', f'["sh", "-c", "{says}; sleep infinity"]')
    limit = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"
    check = f'["CMD-SHELL", "test $$({limit}) != 67108864"]'
    health = f"    healthcheck: {{test: {check}, interval: 1s, retries: 2}}\n"
    stack.file.write_text(text.replace("    environment:\n", f"{health}    environment:\n"))
    stack.up()
    stack.inventory_with(breakwater_wait_timeout=10)
    done = stack.harden("-vvv")
    assert done.code == 2, done.text
    assert "postgresql://app:" in done.text
    assert "@db/app refused" in done.text
    assert CANARY not in done.text
