# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check says of a real stack, and that it changes nothing on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from .conftest import Subject


@contextmanager
def edited_file(subject: Subject) -> Iterator[None]:
    """Raise a limit in the file, as somebody in a hurry does."""
    file = subject.stack.file
    before = file.read_text()
    file.write_text(before.replace("mem_limit: 96m", "mem_limit: 1g"))
    yield
    file.write_text(before)


@contextmanager
def updated_container(subject: Subject) -> Iterator[None]:
    """Raise the limit of the running container."""
    cache = subject.stack.ids()["cache"]
    subject.stack.docker("update", "--memory", "1g", "--memory-swap", "2g", cache)
    yield
    subject.stack.docker("update", "--memory", "96m", "--memory-swap", "192m", cache)


@contextmanager
def removed_container(subject: Subject) -> Iterator[None]:
    """Remove a container."""
    subject.stack.docker("rm", "--force", subject.stack.ids()["app"])
    yield
    subject.stack.up()


def test_a_hardened_stack_is_in_sync_and_stays_untouched(subject: Subject) -> None:
    before = subject.stack.state()
    found = subject.check()
    assert found.code == 0, found.text
    assert found.text.splitlines()[-1].startswith("in sync: 1 host, 2 services")
    assert found.report["verdict"] == "in sync"
    assert "BW-LIM-001" in found.report["hosts"][0]["in_sync"]
    assert subject.stack.state() == before
    assert subject.left() == []


@pytest.mark.parametrize(
    ("tamper", "control", "message", "origin", "action"),
    [
        (
            edited_file,
            "BW-LIM-001",
            "1g",
            "the file was changed on the host since generation",
            "mem_limit: 96m",
        ),
        (
            updated_container,
            "",
            "memory limit: the file says 96m, the container has 1g",
            "the container was changed by hand",
            "bring the limits back on the running container",
        ),
        (
            removed_container,
            "",
            "has no container, and the file wants it to last",
            "the container was removed",
            "nothing: what does not run is not started",
        ),
    ],
)
def test_what_was_changed_by_hand_is_drift_and_stays(
    subject: Subject,
    tamper: Callable[[Subject], AbstractContextManager[None]],
    control: str,
    message: str,
    origin: str,
    action: str,
) -> None:
    with tamper(subject):
        before = subject.stack.state()
        found = subject.check()
        assert found.code == 2, found.text
        (entry,) = [entry for entry in found.found("drifted") if entry["control"] == control]
        assert message in entry["message"]
        assert entry["origin"].startswith(origin)
        assert entry["action"].startswith(action)
        assert subject.stack.state() == before
    assert subject.left() == []


def test_an_unreachable_host_makes_the_check_incomplete(subject: Subject) -> None:
    variables = f"ansible_port=9 breakwater_project_dir={subject.stack.folder}"
    found = subject.check("--inventory", "127.0.0.9,", "--extra-vars", variables, "--report-only")
    assert found.code == 1
    assert {host["name"]: host["verdict"] for host in found.report["hosts"]} == {
        "small": "in sync",
        "127.0.0.9": "unreachable",
    }
    assert found.report["verdict"] == "not fully checked"


def test_a_pattern_without_hosts_is_not_clean(subject: Subject) -> None:
    found = subject.check("--limit", "small:nobody")
    assert found.code == 1
    assert 'no host matches "nobody"' in found.text
    nobody = subject.check("--limit", "nobody")
    assert nobody.code == 1
    assert nobody.report["hosts"] == []


def test_the_other_commands_work_on_the_same_inventory(subject: Subject) -> None:
    verified = subject.breakwater("verify")
    assert verified.returncode == 0, verified.stdout
    foretold = subject.breakwater("harden", "--check", "--diff")
    assert foretold.returncode == 0, foretold.stdout
    assert "changed=0" in foretold.stdout
