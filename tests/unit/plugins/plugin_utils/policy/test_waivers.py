# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: with owner, reason and end they hold; without they are errors; expired they hold no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Finding, Plan, PolicyError, Waiver
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.waivers import parse_comment

FILE = """services:
  # the application
  # breakwater: ignore BW-OPS-001 owner=ops reason="stays down on purpose" until=2027-01-31
  postgres:  # breakwater: ignore BW-OPS-002 owner=sre reason='shipped elsewhere' until=2026-11-23
    image: postgres:17
  redis:
    image: redis:8
"""


def finding(plan: Plan, control: str, service: str) -> Finding:
    return next(f for f in plan.findings if (f.control, f.service) == (control, service))


def test_a_comment_waives_one_control_of_its_service(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(FILE)
    waived = finding(plan, "BW-OPS-001", "postgres")
    assert waived.waived
    assert waived.withheld == "waived by ops until 2027-01-31: stays down on purpose"
    assert waived.waiver is not None
    assert waived.waiver.source.startswith("docker-compose.yml:4")
    assert waived.fix not in plan.changes
    assert not finding(plan, "BW-OPS-001", "redis").waived


def test_an_expired_waiver_counts_again(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(FILE)
    expired = finding(plan, "BW-OPS-002", "postgres")
    assert not expired.waived
    assert "waiver expired 2026-11-23 (sre: shipped elsewhere)" in expired.message
    assert expired.fix in plan.changes


def test_it_holds_through_its_last_day() -> None:
    waiver = Waiver("BW-OPS-001", "", "ops", "r", "2026-11-24", "here")
    assert not waiver.expired("2026-11-24")
    assert waiver.expired("2026-11-25")


def test_a_waiver_without_service_covers_all_and_the_later_one_counts(plan_of: Callable[..., Plan]) -> None:
    common = {"control": "BW-OPS-001", "owner": "ops", "reason": "systemd starts them"}
    plan = plan_of(
        "services: {a: {image: 'postgres:17'}, b: {image: 'redis:8'}}",
        waivers=[{**common, "until": "2020-01-01"}, {**common, "until": "2030-01-01"}],
    )
    assert all(f.waived for f in plan.findings if f.control == "BW-OPS-001")


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("breakwater: ignore BW-LIM-001", "has no owner"),
        ("breakwater: ignore BW-LIM-001 owner=ops", "has no reason"),
        ('breakwater: ignore BW-LIM-001 owner=ops reason="x"', "has no until"),
        ("breakwater: ignore BW-LIM-001 owner=ops reason= until=2027-01-31", "has no reason"),
        ("breakwater: ignore owner=ops", "names no control"),
        ("breakwater: ignore BW-LIM-777 owner=o reason=r until=2027-01-31", "unknown control"),
        ("breakwater: disable BW-LIM-001", "disable is not understood"),
        ("breakwater: ignore BW-LIM-001 owner=o reason=r til=2027-01-31", "unknown name; did you mean until?"),
    ],
)
def test_mistakes(plan_of: Callable[..., Plan], comment: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message.replace("?", r"\?")):
        parse_comment(comment, "a", "f.yml:3", "comment at a")
    plan = plan_of(f"services:\n  # {comment}\n  a: {{image: nginx}}\n")
    assert any("docker-compose.yml:3" in error and message in error for error in plan.errors)


def test_other_comments_are_nobodys_business() -> None:
    assert parse_comment("see breakwater: the docs", "a", "f", "c") == []
    assert parse_comment("ignore BW-LIM-001", "a", "f", "c") == []


def test_several_controls_in_one_comment() -> None:
    found = parse_comment(
        'breakwater: ignore BW-LIM-001, BW-LIM-003 owner=o reason="r" until=2027-01-31', "a", "f", "c"
    )
    assert [waiver.control for waiver in found] == ["BW-LIM-001", "BW-LIM-003"]
