# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run sees of a stack, as records for programs: a drift report is made of them. Pure functions.

Every text is masked here, because results of tasks are shown and kept by others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..compose.project import Project, configured_profiles
from ..policy.controls import control, control_ids
from ..policy.in_force import differences
from ..policy.model import Finding, Settings
from .deploy import ALIVE, Deployment
from .masking import mask_text


def checked_controls(settings: Settings) -> list[str]:
    """Return the ids of the controls that take part with these settings."""
    return [name for name in control_ids() if settings.selects(name)]


def finding_record(finding: Finding, path: str) -> dict[str, Any]:
    """Return a finding as a record.

    Args:
        finding: the finding.
        path: its file, relative to the project folder.

    Returns:
        `state` is planned (the run changes it), withheld (the run does not, with why), waived, expired (only reported,
        and its waiver is over) or reported (nothing is changed, people have to look).
    """
    fix, waiver = finding.fix, finding.waiver
    record: dict[str, Any] = {
        "control": finding.control,
        "title": control(finding.control).title,
        "service": finding.service,
        "file": path,
        "line": finding.line,
        "severity": finding.severity,
        "message": mask_text(finding.message),
        "state": _state(finding),
        "withheld": mask_text(finding.withheld),
        "fix": None,
        "waiver": None,
    }
    if fix is not None:
        record["fix"] = {
            "summary": mask_text(fix.summary),
            "reason": mask_text(fix.reason),
            "impact": fix.impact,
            "seconds": fix.seconds,
        }
    if waiver is not None:
        record["waiver"] = {"owner": waiver.owner, "reason": mask_text(waiver.reason), "until": waiver.until}
    return record


def _state(finding: Finding) -> str:
    """Say what becomes of a finding."""
    if finding.waived:
        return "waived"
    if finding.fix is None:
        return "expired" if finding.waiver is not None else "reported"
    return "withheld" if finding.withheld else "planned"


def last_run(reading: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the last run left: its generation, when, and how each of its files stands now.

    Returns:
        `files` holds by path "after" (as that run wrote it), "before" (as it was before), "changed", "deleted" or
        "unreadable"; None where no run has written anything yet.
    """
    generation = reading.get("generation")
    if generation is None:
        return None
    return {
        "id": generation["id"],
        "state": generation["state"],
        "files": {entry["path"]: entry["status"] for entry in generation["files"]},
    }


def container_records(
    project: Project,
    planned: Project,
    containers: Sequence[Mapping[str, Any]],
    hashes: Mapping[str, Collection[str]],
    deployment: Deployment,
    active: Collection[str],
) -> list[dict[str, Any]]:
    """Compare the files as they are now with the containers, service by service.

    Args:
        project: the files as they are on the target, nothing planned.
        planned: the files as the run would write them.
        containers: the containers of the project's services.
        hashes: the hashes by service that a container deployed from those files may carry.
        deployment: what the run would do.
        active: services that Compose starts.

    Returns:
        A record for each service that does not run as the files say. `kind` is changed (made from these files, then
        changed by hand), stale (made from other files), gone (no container), stopped, ill (its health check fails) or
        unknown (the files have no such service); `differs` says what, `action` what the run would do about it: update,
        recreate or nothing; `fits_plan` whether the containers carry what the planned files say.
    """
    actions = {need.service: "update" for need in deployment.updates}
    actions |= {need.service: "recreate" for stage in deployment.stages for need in stage}
    records: list[dict[str, Any]] = []
    by_service: dict[str, list[Mapping[str, Any]]] = {}
    for container in containers:
        by_service.setdefault(container["service"], []).append(container)
    for name in project.services:
        found = by_service.get(name, [])
        kind, differs = _standing(project, name, found, hashes, name in active)
        if kind:
            fits = bool(found) and not any(differences(planned, name, item) for item in found)
            records.append(_record(name, found, kind, differs, actions.get(name, "nothing"), fits))
    for name, found in by_service.items():
        alive = [item for item in found if item["state"] in ALIVE]
        if name not in project.services and alive:
            records.append(_record(name, alive, "unknown", ["the files have no such service"], "nothing", False))
    return records


def _standing(
    project: Project,
    name: str,
    containers: Sequence[Mapping[str, Any]],
    hashes: Mapping[str, Collection[str]],
    active: bool,
) -> tuple[str, list[str]]:
    """Say how the containers of one service stand, "" when as the files say."""
    lasts = (project.services[name].restart or "no") in ("always", "unless-stopped")
    alive = [item for item in containers if item["state"] in ALIVE]
    if not containers:
        return ("gone", ["has no container, and the file wants it to last"]) if active and lasts else ("", [])
    if not alive:
        state = f"is {containers[0]['state']} (exit code {containers[0]['exit_code']}), and the file wants it to last"
        return ("stopped", [state]) if lasts else ("", [])
    differs = list(dict.fromkeys(line for item in alive for line in differences(project, name, item)))
    if name in hashes and any(item["config_hash"] not in hashes[name] for item in alive):
        return "stale", [mask_text(line) for line in differs]
    if differs:
        return "changed", [mask_text(line) for line in differs]
    ill = [item for item in alive if item["state"] == "restarting" or item["health"] == "unhealthy"]
    if ill:
        what = "restarts again and again" if ill[0]["state"] == "restarting" else "its health check fails"
        return "ill", [what]
    return "", []


def _record(
    service: str, containers: Sequence[Mapping[str, Any]], kind: str, differs: list[str], action: str, fits: bool
) -> dict[str, Any]:
    return {
        "service": service,
        "containers": [item["name"] for item in containers],
        "kind": kind,
        "differs": differs,
        "action": action,
        "fits_plan": fits,
    }


def active_services(project: Project, options: Mapping[str, Any], variables: Mapping[str, str]) -> list[str]:
    """Return the services that Compose starts with the profiles of a run.

    Args:
        project: the files.
        options: the run's options (`profiles`).
        variables: the variables that Compose has.
    """
    return project.active_services(options.get("profiles") or configured_profiles(variables))
