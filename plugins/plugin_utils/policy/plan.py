# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: every control on every service, and the edits that follow. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..compose.edits import Edit
from . import coupled, databases, health, limits, operations, security
from .budget import share_out
from .context import Context, Stack
from .controls import control, control_ids
from .model import IMPACTS, SEVERITIES, Budget, Change, Finding, HostFacts, Plan, Settings, Usage, Waiver
from .settings import check_services
from .waivers import file_waivers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..compose.project import Project

_CONTROL_ORDER = {name: index for index, name in enumerate(control_ids())}

# Checks that look at one service and at nothing that the plan changes elsewhere.
_INDEPENDENT = (
    operations.check_restart,
    operations.check_logging,
    operations.check_grace,
    operations.check_init,
    operations.check_image,
    operations.check_nofile,
    security.check_new_privileges,
    security.check_capabilities,
    security.check_read_only,
    security.check_user,
    security.check_privileged,
    security.check_socket,
    security.check_namespaces,
    security.check_ports,
    security.check_confinement,
    databases.check_trust,
    databases.check_driver,
)


class _Planner:
    """Collects findings and lets through what is selected, not waived and not too costly."""

    def __init__(self, stack: Stack, waivers: Sequence[Waiver], errors: list[str]) -> None:
        self.stack = stack
        self.waivers = waivers
        self.errors = errors
        self.findings: list[Finding] = []

    def admit(self, finding: Finding | None) -> Change | None:
        """Take a finding in; return its fix when it is part of the plan."""
        settings = self.stack.settings
        if finding is None or not settings.selects(finding.control):
            return None
        role = self.stack.roles.get(finding.service)
        if role is not None and role.kind not in control(finding.control).kinds:
            return None
        if SEVERITIES.index(finding.severity) < SEVERITIES.index(settings.severity):
            return None
        finding = _with_waiver(finding, self.waivers, settings.today)
        if finding.fix is not None and not finding.withheld:
            withheld = self._withheld(finding.fix)
            finding = finding._replace(withheld=withheld) if withheld else finding
        self.findings.append(finding)
        return None if finding.withheld else finding.fix

    def admit_all(self, findings: Iterable[Finding | None]) -> None:
        """Take findings in whose fixes nothing else depends on."""
        for finding in findings:
            if finding is not None:
                self.admit(finding)

    def _withheld(self, change: Change) -> str:
        """Say why a change is kept back, empty when it is not."""
        allowed = self.stack.settings.max_impact
        if IMPACTS.index(change.impact) > IMPACTS.index(allowed):
            return f"it costs {change.impact} (about {change.seconds:g} s), max_impact is {allowed}"
        project = self.stack.project
        if change.file >= project.given:
            return f"it belongs into {project.files[change.file].name}, which is not among the files given"
        return ""


def _with_waiver(finding: Finding, waivers: Sequence[Waiver], today: str) -> Finding:
    """Mark a finding as waived, or as one whose waiver has expired."""
    if not waivers:
        return finding
    covering = [waiver for waiver in waivers if waiver.covers(finding.control, finding.service)]
    for waiver in covering:
        if not waiver.expired(today):
            return finding._replace(
                waiver=waiver, withheld=f"waived by {waiver.owner} until {waiver.until}: {waiver.reason}"
            )
    if not covering:
        return finding
    last = max(covering, key=lambda waiver: waiver.until)
    message = f"{finding.message}; waiver expired {last.until} ({last.owner}: {last.reason})"
    return finding._replace(waiver=last, message=message)


def make_plan(project: Project, host: HostFacts | None, usage: Mapping[str, Usage], settings: Settings) -> Plan:
    """Compare a project with the policy.

    Limits come first, because the coupled values follow them; then health checks, because the start order needs them.

    Args:
        project: the compose files as they are now.
        host: the machine, None when it is not known: then nothing that depends on it is planned.
        usage: what the running services use; a service that is not in it does not run.
        settings: what the user has decided.
    """
    stack = Stack(project, host, usage, settings)
    in_files, errors = file_waivers(project)
    errors = check_services(settings, project.services) + errors
    planner = _Planner(stack, (*settings.waivers, *in_files), errors)
    contexts = stack.contexts()
    budget = _plan_limits(planner, contexts)
    for context in contexts:
        _plan_health(planner, context)
    for context in contexts:
        planner.admit(operations.check_start_order(context))
        planner.admit_all(check(context) for check in _INDEPENDENT)
        planner.admit_all(security.check_secrets(context))
        _plan_coupled(planner, context)
    services = {name: index for index, name in enumerate(project.services)}
    findings = sorted(planner.findings, key=lambda f: (services.get(f.service, -1), _CONTROL_ORDER[f.control]))
    changes = tuple(f.fix for f in findings if f.fix is not None and not f.withheld)
    return Plan(tuple(findings), changes, budget, tuple(planner.errors))


def _plan_limits(planner: _Planner, contexts: Sequence[Context]) -> Budget | None:
    """Share the host out, and note what each service has after the plan."""
    stack = planner.stack
    demands = [demand for demand in map(limits.demand, contexts) if demand is not None]
    budget = share_out(stack.host, stack.settings, demands) if stack.host is not None else None
    if stack.settings.selects("BW-LIM-001"):
        for context in contexts:
            planner.errors.extend(limits.refusals(context))
        if budget is not None and not budget.ok:
            planner.errors.append(budget.refusal)
    planner.admit_all(limits.check_budget(budget))
    for context in contexts:
        row = budget.row(context.name) if budget is not None else None
        stated = context.stated
        stack.limits[context.name] = context.service.memory_limit
        if planner.admit(limits.check_memory(context, row)):
            memory = stated.memory if stated is not None else None
            stack.limits[context.name] = memory if memory is not None else (row.limit if row is not None else None)
            stack.planned.add(context.name)
        stack.cpus[context.name] = context.service.cpus
        if planner.admit(limits.check_cpus(context, row)):
            cpus = stated.cpus if stated is not None else None
            stack.cpus[context.name] = cpus if cpus is not None else (row.cpus if row is not None else None)
        planner.admit(limits.check_reservation(context))
        if not planner.admit(limits.check_pids(context)):
            planner.admit(coupled.check_pids(context, context.service.pids_limit))
    return budget


def _plan_health(planner: _Planner, context: Context) -> None:
    """Plan the health check, and note whether there is one that can be waited for."""
    check = context.service.healthcheck
    has_one = check is not None and "test" in check and not check["disable"]
    finding = health.check_health(context)
    fix = planner.admit(finding)
    planner.admit(health.check_speed(context))
    if fix is not None or (has_one and (finding is None or finding.control != "BW-HLT-002")):
        planner.stack.checked.add(context.name)


def _plan_coupled(planner: _Planner, context: Context) -> None:
    """Plan what follows from the limits; a refusal there refuses the plan."""
    if context.kind == "postgres":
        findings, errors = coupled.check_postgres(context)
        findings = [
            *findings,
            *filter(None, (coupled.check_shm(context), databases.check_connections(context))),
        ]
    elif context.kind == "redis":
        findings, errors = coupled.check_redis(context)
    elif context.kind == "temporal":
        findings, errors = (
            list(filter(None, (coupled.check_gomemlimit(context), coupled.check_gomaxprocs(context)))),
            [],
        )
    else:
        return
    planner.admit_all(findings)
    if planner.stack.settings.selects("BW-CPL"):
        planner.errors.extend(errors)


def apply_plan(project: Project, plan: Plan) -> Project:
    """Return the project with the changes of a plan made, file by file.

    Raises:
        RefusedEdit: an edit cannot be made so that it is provably right.
        ValueError: the plan was refused.
    """
    # Here and not above: a scan never edits, and the editor takes time to import.
    from ..compose.edit import apply_edits
    from ..compose.project import replace_document

    if plan.errors:
        raise ValueError("the plan was refused: " + "; ".join(plan.errors))
    edits: dict[int, list[Edit]] = {}
    for change in plan.changes:
        edits.setdefault(change.file, []).extend(change.edits)
    for index, wanted in edits.items():
        project = replace_document(project, index, apply_edits(project.files[index], wanted))
    return project
