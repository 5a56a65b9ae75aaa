# SPDX-License-Identifier: GPL-3.0-or-later
"""Which project a run works on, and what in it is none of its business."""

from __future__ import annotations

import uuid

from stacks import Stack

DECOY = "services:\n  decoy:\n    image: breakwater.test/none:1\n"
JOB = """
  seed:
    image: ${REDIS_IMAGE}
    entrypoint: ["true"]
    restart: "no"
"""


def test_name_and_files_that_are_stated_and_a_job_that_ended(stack: Stack) -> None:
    stack.down()
    (stack.folder / "base.yml").write_text(stack.file.read_text() + JOB)
    stack.file.write_text(DECOY)
    (stack.folder / "prod.yml").write_text("services:\n  app:\n    stop_grace_period: 5s\n")
    stack.name = f"bw-it-{uuid.uuid4().hex[:8]}"
    with (stack.folder / ".env").open("a") as env:
        env.write(f"COMPOSE_PROJECT_NAME={stack.name}\n")
    compose = ["compose", "-f", "base.yml", "-f", "prod.yml", "up", "--detach"]
    stack.docker(*compose, "--wait", "cache", "app")
    stack.docker(*compose, "seed")
    job = stack.inspect("seed")
    stack.inventory_with(breakwater_files=["base.yml", "prod.yml"])

    done = stack.harden()
    assert done.code == 0, done.text
    assert "mem_limit: 96m" in (stack.folder / "base.yml").read_text()
    assert stack.inspect("cache")["HostConfig"]["Memory"] == 96 * 2**20
    assert stack.inspect("app")["Config"]["StopTimeout"] == 5
    assert stack.file.read_text() == DECOY
    after = stack.inspect("seed")
    assert (after["Id"], after["State"]["StartedAt"]) == (job["Id"], job["State"]["StartedAt"])
    assert stack.harden().recap["changed"] == 0
