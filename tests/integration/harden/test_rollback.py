# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking a run back: every byte, or all but what people have edited since."""

from __future__ import annotations

import time

from stacks import Stack


def test_every_byte_comes_back(stack: Stack) -> None:
    text = stack.file.read_bytes()
    assert stack.harden().code == 0
    checked = stack.play("rollback", "--check", "--diff")
    assert "-    mem_limit: 96m" in checked.text
    assert b"mem_limit" in stack.file.read_bytes()
    done = stack.play("rollback", "--diff")
    assert done.code == 0, done.text
    assert stack.file.read_bytes() == text
    assert stack.inspect("cache")["HostConfig"]["Memory"] == 0
    again = stack.play("rollback")
    assert again.code == 0, again.text
    assert again.recap["changed"] == 0


def test_an_edit_elsewhere_stays(stack: Stack) -> None:
    text = stack.file.read_text()
    assert stack.harden().code == 0
    stack.file.write_text(stack.file.read_text().replace("MODE=quiet", "MODE=loud"))
    done = stack.play("rollback")
    assert done.code == 0, done.text
    assert stack.file.read_text() == text.replace("MODE=quiet", "MODE=loud")
    assert "MODE=loud" in stack.inspect("app")["Config"]["Env"]


def test_an_edit_of_our_lines_is_never_overwritten(stack: Stack) -> None:
    assert stack.harden().code == 0
    edited = stack.file.read_text().replace("mem_limit: 96m", "mem_limit: 112m")
    stack.file.write_text(edited)
    before = stack.ids()
    done = stack.play("rollback")
    assert done.code == 2
    assert "were edited since" in done.text
    assert "mem_limit: 112m" in done.text
    assert stack.file.read_text() == edited
    assert stack.ids() == before
    # The lock of the refused run does not stay.
    assert "another run" not in stack.harden("--check").text


def test_what_was_ill_before_does_not_hold_it_up(stack: Stack) -> None:
    ill = stack.folder / "ill"
    ill.mkdir()
    check = '    volumes: ["./ill:/ill"]\n'
    check += '    healthcheck: {test: [CMD, test, "!", -e, /ill/now], interval: 1s, retries: 1}\n'
    stack.file.write_text(stack.file.read_text().replace("    environment:\n", f"{check}    environment:\n"))
    stack.up()
    text = stack.file.read_text()
    # A control that concerns the other service only.
    done = stack.harden("--tags", "BW-OPS-003")
    assert done.code == 0, done.text
    assert stack.inspect("cache")["Config"]["StopTimeout"] == 30
    before = stack.ids()
    (ill / "now").touch()
    deadline = time.monotonic() + 20
    while stack.inspect("app")["State"]["Health"]["Status"] != "unhealthy" and time.monotonic() < deadline:
        time.sleep(0.2)
    back = stack.play("rollback")
    assert back.code == 0, back.text
    assert "app was ill before" in back.text
    assert stack.file.read_text() == text
    assert stack.inspect("cache")["Config"].get("StopTimeout") is None
    assert stack.ids()["app"] == before["app"]
