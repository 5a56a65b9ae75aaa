# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command does beside the collection's judgement; the rest is tested in tests/integration/connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.connections_subject import find_subject
from breakwater.connections import containers_of


def inspected(service: str, folder: str, image: str = "postgres:17") -> dict[str, Any]:
    labels = {"service": service, "project": "corp", "project.working_dir": folder}
    return {
        "Id": f"id-{service}",
        "Name": f"/corp-{service}-1",
        "State": {"Status": "running"},
        "Config": {"Image": image, "Labels": {f"com.docker.compose.{key}": value for key, value in labels.items()}},
    }


def test_a_stack_whose_files_this_user_may_not_read_is_known_by_its_containers(tmp_path: Path) -> None:
    folder = tmp_path / "corp"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    found = [inspected("db", str(folder)), inspected("app", str(folder), "app"), inspected("other", "/srv/other")]
    for directory in (folder, tmp_path / "link"):
        reading = containers_of(str(directory), found)
        subject = find_subject(reading, unread="compose.yml: cannot read the file")
        assert (subject.project, subject.service, subject.container) == ("corp", "db", "id-db")
        assert subject.notes == ("what clients may open is not known: compose.yml: cannot read the file",)
    assert containers_of("/nowhere", found)["containers"] == []
