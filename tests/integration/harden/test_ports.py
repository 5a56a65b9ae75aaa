# SPDX-License-Identifier: GPL-3.0-or-later
"""A port that somebody else holds is found before anything is touched."""

from __future__ import annotations

import socket

from stacks import Stack


def test_a_held_port_is_refused_and_then_had(stack: Stack) -> None:
    before = stack.ids()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ports = f'    ports: ["127.0.0.1:{port}:80"]\n'
        stack.file.write_text(stack.file.read_text().replace("    environment:\n", f"{ports}    environment:\n"))
        text = stack.file.read_text()
        for arguments in (["--check"], []):
            done = stack.harden(*arguments)
            assert done.code == 2, done.text
            assert f"app: port 127.0.0.1:{port}/tcp is held by" in done.text
            assert "(process " in done.text
        assert stack.file.read_text() == text
        assert stack.ids() == before
    free = stack.harden()
    assert free.code == 0, free.text
    assert stack.inspect("app")["HostConfig"]["PortBindings"]["80/tcp"][0]["HostPort"] == str(port)
    assert stack.harden().recap["changed"] == 0
