# SPDX-License-Identifier: Apache-2.0
"""A policy that changes leaves running workflows alone: what was recorded under one replays under every other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from breakwater.guard import Guard, load
from tests.integration.guard.workloads import WORKFLOWS, Again, Bare, Greedy, Stages, attributes, new_id, working

PolicyFile = Callable[[str], Path]

_LIFTED = "{start_to_close_timeout: none, reason: test}"
_LIMITS = "execution_timeout: {default: 10m, maximum: 30m}"
POLICIES = {
    "cap": f"workflows: {{{_LIMITS}}}\nactivities: {{start_to_close_timeout: 5m, heartbeat: 1m}}",
    "refuse": (
        f"workflows: {{beyond: refuse, {_LIMITS}}}\n"
        "activities: {beyond: refuse, start_to_close_timeout: 5m, retry: {maximum_attempts: 2}}"
    ),
    "observe": f"mode: observe\nworkflows: {{beyond: refuse, {_LIMITS}}}\nactivities: {{beyond: refuse}}",
    "lifted": f"workflows: {{execution_timeout: none, reason: test}}\nactivities: {_LIFTED}",
}


REFUSED = {"refuse": ("done", "PolicyRefusal", "PolicyRefusal")}


def guard_of(name: str) -> Guard:
    return Guard(load(f"schema_version: 1\n{POLICIES[name]}".encode()))


@pytest.fixture(scope="module")
def histories(address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, WorkflowHistory]:
    """Histories under one policy each, and of workflows whose policy changed on the way."""
    path = tmp_path_factory.mktemp("policy") / "breakwater-policy.yml"

    def write(name: str) -> None:
        path.write_text(f"schema_version: 1\n{POLICIES[name]}", encoding="utf-8")

    async def through(
        guard: Guard, client: Client, queue: str, policies: list[str]
    ) -> WorkflowHandle[Stages, list[str]]:
        """Lead a workflow through a stage per policy, to its end."""
        handle = None
        for number, name in enumerate(policies):
            write(name)
            assert guard.reload()
            if handle is None:
                handle = await client.start_workflow(Stages.run, id=new_id(), task_queue=queue)
            else:
                await handle.signal(Stages.go)
            while await _recorded_stages(handle) <= number:
                await asyncio.sleep(0.05)
        assert handle is not None
        return handle

    async def go() -> dict[str, WorkflowHistory]:
        found: dict[str, WorkflowHistory] = {}
        write("cap")
        guard = Guard.from_file(path, reload_every=None)
        client = await Client.connect(address, interceptors=[guard])
        # Without a cache the worker itself replays the whole history for every workflow task.
        async with working(client, max_cached_workflows=0, max_concurrent_workflow_task_polls=1) as queue:
            for kind, arguments in ((Bare, []), (Greedy, []), (Again, [False])):
                handle = await client.start_workflow(kind.run, args=arguments, id=new_id(), task_queue=queue)
                first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
                await handle.result()
                found[kind.__name__] = await first.fetch_history()
            for policies in (
                ["cap", "refuse", "cap"],
                ["refuse", "cap", "observe"],
                ["observe", "lifted", "refuse"],
                ["refuse", "refuse", "refuse"],
            ):
                stages = await through(guard, client, queue, policies)
                outcome = await stages.result()
                expected = [
                    word
                    for name in policies
                    for word in (
                        ("done", "PolicyRefusal", "PolicyRefusal") if name == "refuse" else ("done", "done", "child")
                    )
                ]
                assert outcome == expected
                found[" ".join(policies)] = await stages.fetch_history()
        return found

    return asyncio.run(go())


async def _recorded_stages(handle: WorkflowHandle[Stages, list[str]]) -> int:
    """Count the stages whose end the history has; a query may see decisions that are yet to be recorded."""
    described = await handle.describe()
    return int((await described.memo()).get("over", 0))


@pytest.mark.parametrize("sandboxed", [True, False], ids=["sandbox", "plain"])
@pytest.mark.parametrize("name", POLICIES)
def test_what_was_recorded_replays_under_every_policy(
    histories: dict[str, WorkflowHistory], name: str, sandboxed: bool
) -> None:
    async def go() -> None:
        guard = guard_of(name)
        replayer = Replayer(
            workflows=WORKFLOWS,
            interceptors=[guard],
            workflow_runner=SandboxedWorkflowRunner() if sandboxed else UnsandboxedWorkflowRunner(),
        )
        for history in histories.values():
            await replayer.replay_workflow(history)
        assert guard.counts() == {}, "what is replayed was counted when it happened"

    asyncio.run(go())


def test_a_guard_that_is_given_twice_refuses_once(address: str) -> None:
    async def go() -> None:
        guard = guard_of("refuse")
        client = await Client.connect(address, interceptors=[guard])
        async with working(client, interceptors=[guard], max_cached_workflows=0) as queue:
            handle = await client.start_workflow(Stages.run, id=new_id(), task_queue=queue)
            for _ in range(2):
                await handle.signal(Stages.go)
            assert await asyncio.wait_for(handle.result(), 30) == [*REFUSED["refuse"]] * 3
        history = await handle.fetch_history()
        await Replayer(workflows=WORKFLOWS, interceptors=[guard, guard_of("cap")]).replay_workflow(history)

    asyncio.run(go())


def test_without_refusals_it_replays_without_the_guard(histories: dict[str, WorkflowHistory]) -> None:
    async def go() -> None:
        replayer = Replayer(workflows=WORKFLOWS)
        result = await replayer.replay_workflow(histories["Greedy"], raise_on_replay_failure=False)
        assert result.replay_failure is None

    asyncio.run(go())


def test_only_refusals_leave_a_mark(histories: dict[str, WorkflowHistory]) -> None:
    markers = {name: len(attributes(history, "marker_recorded")) for name, history in histories.items()}
    assert markers["cap refuse cap"] == 2
    assert markers["refuse refuse refuse"] == 6
    # One of its own: the local activity.
    assert markers["Greedy"] == 1
