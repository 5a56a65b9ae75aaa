# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the collection's playbook in check mode through ansible-runner, and leave nothing behind.

ansible-runner keeps events, facts and the environment in its private data folder, and Ansible keeps what a run knows of
a stack in its temporary folder. Both may hold secrets, so both lie in one folder (0700) that ends with the run.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from breakwater.drift import children
from breakwater.drift.reading import Ending
from breakwater.exits import CommandError

PLAYBOOK = "breakwater.stack.harden"
#: Every process of a run carries this variable, whatever session it has made itself the leader of.
MARK = "BREAKWATER_DRIFT_RUN"
_POLL_SECONDS = 1
#: What a process gets to end in order before it is killed: Ansible then removes its files from the hosts.
_GRACE_SECONDS = 5.0
_LONGEST_FOLDER = 60
_FATAL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Nobody is there to answer: a host with an unknown key, or a key with a passphrase, is one that cannot be reached.
_ANSWERS = {
    r"Are you sure you want to continue connecting[^\n]*$": "no",
    r"Enter passphrase for key[^\n]*:\s*$": "",
}
#: Variables that ansible-runner sets unless they are there, though the user's ansible.cfg may say otherwise.
_NOT_OURS = ("ANSIBLE_HOST_KEY_CHECKING",)


class Checked(NamedTuple):
    """What a check run gave: its events in order, and how it ended."""

    events: list[dict[str, Any]]
    ending: Ending


def check(arguments: Sequence[str], timeout: int, follow: Callable[[Mapping[str, Any]], None]) -> Checked:
    """Run the playbook in check mode, with diff.

    Args:
        arguments: for ansible-playbook (inventory, limit, variables...).
        timeout: seconds that the whole check may take, 0 for as long as it takes.
        follow: called with each event as it comes.

    Raises:
        CommandError: Ansible cannot be started.
    """
    if shutil.which("ansible-playbook", path=search_path()) is None:
        raise CommandError("ansible-playbook is not found; install ansible-core beside breakwater")
    events: list[dict[str, Any]] = []
    began = datetime.now(UTC)

    def take(event: dict[str, Any]) -> bool:
        events.append(event)
        follow(event)
        return False  # so that it is not written to a file

    with _private_folder() as folder, _until_told_to_end() as told:
        runner = _runner(folder, arguments, timeout, take, _ender(told, folder))
        try:
            status, code = runner.run()
        finally:
            children.end(MARK, folder, _GRACE_SECONDS)
    ended = "interrupted" if told.is_set() else "timed out" if status == "timeout" else ""
    return Checked(events, Ending(code or 0, began, ended, timeout))


def command_line(arguments: Sequence[str]) -> list[str]:
    """Return the command that a check runs, as a person could type it."""
    return ["ansible-playbook", *arguments, "--check", "--diff", PLAYBOOK]


def _runner(
    folder: str, arguments: Sequence[str], timeout: int, take: Callable[[dict[str, Any]], bool], end: Callable[[], bool]
) -> Any:
    """Prepare ansible-runner; nothing of its configuration is taken from the user's folders."""
    from ansible_runner import interface

    settings = {"pexpect_timeout": _POLL_SECONDS, "suppress_output_file": True, "job_timeout": timeout or None}
    # As a file, because ansible-runner 2.4 drops the settings that it is given when there is no such file.
    os.mkdir(os.path.join(folder, "env"), 0o700)
    Path(folder, "env", "settings").write_text(json.dumps(settings), encoding="utf-8")
    runner = interface.init_runner(
        private_data_dir=folder,
        project_dir=os.getcwd(),
        playbook=PLAYBOOK,
        cmdline=shlex.join([*arguments, "--check", "--diff"]),
        quiet=True,
        suppress_env_files=True,
        passwords=_ANSWERS,
        event_handler=take,
        cancel_callback=end,
        envvars={
            "PATH": search_path(),
            **utf_8_locale(),
            "ANSIBLE_LOCAL_TEMP": os.path.join(folder, "tmp"),
            "ANSIBLE_NOCOLOR": "1",
            MARK: folder,
            **_sockets(folder),
        },
    )
    for name in _NOT_OURS:
        if name not in os.environ:
            runner.config.env.pop(name, None)
    return runner


def _sockets(folder: str) -> dict[str, str]:
    """Keep the shared connections of ssh apart from those of other runs: they are ended with the check.

    A socket's path holds 108 bytes at most (``man 7 unix``), of which ssh adds about 40; a longer folder is not used.
    """
    return {"ANSIBLE_SSH_CONTROL_PATH_DIR": os.path.join(folder, "cp")} if len(folder) <= _LONGEST_FOLDER else {}


def search_path() -> str:
    """Return where programs are looked for: first beside the interpreter, whose Ansible knows this collection."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def utf_8_locale() -> dict[str, str]:
    """Return what turns the C locale, which scripts set, into its UTF-8 form: Ansible starts in no other encoding."""
    return {"LC_ALL": "C.UTF-8"} if os.environ.get("LC_ALL") in ("C", "POSIX") else {}


@contextmanager
def _private_folder() -> Iterator[str]:
    """Make a folder that only its owner can enter, and remove it whatever happens."""
    folder = tempfile.mkdtemp(prefix="breakwater-drift-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _until_told_to_end() -> Iterator[threading.Event]:
    """Turn the signals that end a command into an event, so that what was started is ended first."""
    told = threading.Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = {number: signal.signal(number, tell) for number in _FATAL}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ender(told: threading.Event, folder: str) -> Callable[[], bool]:
    """Make the question that ansible-runner asks every second: whether to end. Then all is ended in order."""

    def end() -> bool:
        if told.is_set():
            children.end(MARK, folder, _GRACE_SECONDS)
        return told.is_set()

    return end
