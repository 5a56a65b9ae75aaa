# SPDX-License-Identifier: GPL-3.0-or-later
"""temporal_config on a real server, which reads its file every 5 s: taken, refused, and what is never written."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from playbooks import run_tasks

from .conftest import run

MINE = """\
# ours since 2024
frontend.namespaceRPS:
  - value: 2400   # the default
"""
STORE: dict[str, Any] = {
    "sql": {
        "pluginName": "sqlite",
        "databaseName": "d",
        "connectAddr": "localhost",
        "connectProtocol": "tcp",
        "connectAttributes": {"mode": "memory", "cache": "private"},
        "maxConns": 1,
        "maxIdleConns": 1,
    }
}
CLUSTER = {"enabled": True, "initialFailoverVersion": 1, "rpcName": "frontend", "rpcAddress": "localhost:7233"}
SERVER = {
    "log": {"stdout": True, "level": "info"},
    "persistence": {
        "defaultStore": "store",
        "visibilityStore": "store",
        "numHistoryShards": 1,
        "datastores": {"store": STORE},
    },
    "global": {"membership": {"maxJoinDuration": "30s", "broadcastAddress": "127.0.0.1"}},
    "services": {
        name: {"rpc": {"grpcPort": 7233 + number, "membershipPort": 6933 + number, "bindOnLocalHost": True}}
        for number, name in enumerate(("frontend", "history", "matching", "worker"))
    },
    "clusterMetadata": {
        "failoverVersionIncrement": 10,
        "masterClusterName": "active",
        "currentClusterName": "active",
        "clusterInformation": {"active": CLUSTER},
    },
    "dcRedirectionPolicy": {"policy": "noop"},
    "dynamicConfigClient": {"filepath": "/dynamic/production.yaml", "pollInterval": "5s"},
}


class Story(NamedTuple):
    """What came of the tasks: their results, the file in the end and the server's log."""

    results: list[dict[str, Any]]
    text: str
    log: str
    folder: Path


@pytest.fixture(scope="module")
def story(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Start a server on our file and run the tasks one after the other."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("server", "dynamic"):
        (folder / name).mkdir(mode=0o755)
    (folder / "server/development.yaml").write_text(yaml.safe_dump(SERVER))
    path = folder / "dynamic/production.yaml"
    path.write_text(MINE)
    name = f"bw-temporal-{uuid.uuid4().hex[:8]}"
    mounts = ["-v", f"{folder}/server:/server:ro", "-v", f"{folder}/dynamic:/dynamic:ro"]
    command = ["temporal-server", "--root", "/", "--config", "server", "--env", "development", "start"]
    run("docker", "run", "--detach", "--name", name, "--network", "none", *mounts, image, *command)
    try:
        common: dict[str, Any] = {"path": str(path), "project_dir": str(folder), "container": name, "poll_interval": 5}
        tenant: dict[str, Any] = {
            "key": "frontend.namespaceRPS",
            "value": 200,
            "constraints": {"namespace": "a"},
            "reason": "trial",
        }
        later: dict[str, Any] = {"key": "history.standbyTaskMissingEventsDiscardDelay", "value": "1m"}
        later |= {"constraints": {"historyTaskType": "TimeskippingTimer"}}
        tasks = [
            {**common, "profile": "small", "values": [tenant]},
            {**common, "profile": "small", "values": [tenant]},
            {**common, "profile": "small", "values": [tenant]},
            {**common, "values": [{"key": "frontend.namespaceRPS", "value": "many"}]},
            # A server of 1.32 would take it; the one that runs does not.
            {**common, "values": [later], "server_version": "1.32.0"},
            {**common, "values": [later]},
            {**common, "container": "none-such", "values": [{**tenant, "value": 300}]},
        ]
        results = run_tasks(tmp_path_factory.mktemp("play"), "breakwater.stack.temporal_config", tasks, check=(0,))
        log = run("docker", "logs", name)
        yield Story(results, path.read_text(), log, folder)
    finally:
        run("docker", "rm", "--force", "--volumes", name)


def test_check_mode_says_what_the_real_run_then_does(story: Story) -> None:
    foretold, done = story.results[:2]
    assert foretold["changed"]
    assert foretold["generation"] is None
    assert foretold["changes"] == done["changes"]
    assert foretold["diff"] == done["diff"]
    assert [change["before"] for change in done["changes"]] == [2400, None, None, None, None, None]


def test_the_server_takes_the_values(story: Story) -> None:
    assert story.results[1]["proof"] == "the server says that it has read the file"
    assert story.results[1]["generation"]
    for value in ("{ constraints: {} value: 400 }", "{ constraints: {{Namespace:a}} value: 200 }"):
        assert value in story.log


def test_a_second_run_changes_nothing(story: Story) -> None:
    assert (story.results[2]["changed"], story.results[2]["changes"]) == (False, [])


def test_the_file_is_still_its_owners(story: Story) -> None:
    assert story.text.startswith("# ours since 2024\nfrontend.namespaceRPS:\n")
    assert "  - value: 400   # the default\n" in story.text
    assert "  # breakwater: trial\n  - value: 200\n" in story.text
    assert sorted(path.name for path in (story.folder / "dynamic").iterdir()) == ["production.yaml"]


def test_a_value_that_is_wrong_is_not_written(story: Story) -> None:
    assert story.results[3]["failed"]
    assert "TL020 frontend.namespaceRPS" in story.results[3]["msg"]
    assert "the constraint historyTaskType" in story.results[5]["msg"]


def test_a_file_that_the_server_refuses_goes_back(story: Story) -> None:
    refused = story.results[4]
    assert refused["failed"]
    assert "did not take the file, the old one is back: " in refused["msg"]
    assert "TimeskippingTimer is not a valid TaskType" in refused["msg"]
    assert "standbyTask" not in story.text


def test_a_container_that_is_not_there_is_found_before_the_write(story: Story) -> None:
    assert story.results[6]["failed"]
    assert "no such object" in story.results[6]["msg"].lower()
    assert "value: 300\n" not in story.text
