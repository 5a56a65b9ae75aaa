# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's budget: what it may never do, whatever the services and the host."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.budget import (
    GIB,
    MIB,
    SHARES,
    Demand,
    cpu_limit,
    round_down,
    round_up,
    share_out,
    step_of,
    system_reserve,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import KINDS, Budget, HostFacts, Settings

sizes = st.integers(min_value=0, max_value=64 * GIB)


@st.composite
def demands(draw: st.DrawFn) -> list[Demand]:
    count = draw(st.integers(min_value=1, max_value=8))
    found = []
    for number in range(count):
        stated = draw(st.one_of(st.none(), st.integers(min_value=6 * MIB, max_value=8 * GIB)))
        found.append(
            Demand(
                f"service-{number}",
                draw(st.sampled_from(KINDS)),
                draw(st.integers(min_value=1, max_value=3)),
                stated,
                "budget" if stated is None else draw(st.sampled_from(("file", "inventory"))),
                floor=draw(st.one_of(st.just(0), st.integers(min_value=0, max_value=4 * GIB))),
                need=draw(st.one_of(st.just(0), st.integers(min_value=0, max_value=2 * GIB))),
                cpus=draw(st.one_of(st.none(), st.sampled_from((0.0, 0.5, 4.0)))),
                cpus_used=draw(st.floats(min_value=0, max_value=16)),
            )
        )
    return found


hosts = st.builds(
    HostFacts,
    memory=st.integers(min_value=256 * MIB, max_value=256 * GIB),
    cpus=st.sampled_from((0.5, 1.0, 2.0, 4.0, 15.0, 64.0)),
    others_memory=st.integers(min_value=0, max_value=8 * GIB),
)


def total(budget: Budget) -> int:
    return sum(row.limit * row.replicas for row in budget.rows)


@given(hosts, demands())
def test_limits_fit_the_host_or_are_refused(host: HostFacts, wanted: list[Demand]) -> None:
    budget = share_out(host, Settings(), wanted)
    assert budget.available == budget.memory - budget.reserve
    assert budget.ok == (total(budget) <= budget.available)
    assert bool(budget.refusal) != budget.ok


@given(hosts, demands())
def test_every_chosen_limit_is_above_floor_need_and_minimum(host: HostFacts, wanted: list[Demand]) -> None:
    for demand, row in zip(wanted, share_out(host, Settings(), wanted).rows, strict=True):
        if demand.stated is None:
            assert row.limit >= max(demand.floor, demand.need, SHARES[demand.kind].minimum)
            assert row.limit % (64 * MIB) == 0


@given(hosts, demands())
def test_no_chosen_limit_is_above_its_maximum_without_need(host: HostFacts, wanted: list[Demand]) -> None:
    for demand, row in zip(wanted, share_out(host, Settings(), wanted).rows, strict=True):
        share = SHARES[demand.kind]
        if demand.stated is None:
            assert row.limit <= max(share.maximum, round_up(max(demand.floor, demand.need, share.minimum)))


@given(hosts, demands())
def test_stated_limits_stand(host: HostFacts, wanted: list[Demand]) -> None:
    for demand, row in zip(wanted, share_out(host, Settings(), wanted).rows, strict=True):
        if demand.stated is not None:
            assert row.limit == demand.stated
        if demand.cpus is not None:
            assert row.cpus == demand.cpus


@given(hosts, demands())
def test_the_same_facts_give_the_same_budget(host: HostFacts, wanted: list[Demand]) -> None:
    assert share_out(host, Settings(), wanted) == share_out(host, Settings(), list(wanted))


@given(hosts, demands(), st.integers(min_value=0, max_value=64 * GIB))
def test_more_memory_never_means_less_for_a_service(host: HostFacts, wanted: list[Demand], more: int) -> None:
    small = share_out(host, Settings(), wanted)
    large = share_out(host._replace(memory=host.memory + more), Settings(), wanted)
    assert large.available >= small.available
    for before, after in zip(small.rows, large.rows, strict=True):
        assert after.limit >= before.limit


@given(hosts, demands(), st.floats(min_value=0, max_value=0.2))
def test_limits_once_written_still_fit_when_the_others_grow_a_little(
    host: HostFacts, wanted: list[Demand], growth: float
) -> None:
    first = share_out(host, Settings(), wanted)
    chosen = any(demand.stated is None for demand in wanted)
    at_the_least = all(
        d.stated is not None or r.limit == round_up(max(d.floor, d.need, SHARES[d.kind].minimum))
        for d, r in zip(wanted, first.rows, strict=True)
    )
    if not first.ok or not chosen or at_the_least:
        return
    written = [d._replace(stated=r.limit, stated_by="file") for d, r in zip(wanted, first.rows, strict=True)]
    later = host._replace(others_memory=int(host.others_memory * (1 + growth)))
    again = share_out(later, Settings(), written)
    assert again.ok
    assert [row.limit for row in again.rows] == [row.limit for row in first.rows]


@given(hosts, demands())
def test_one_cpu_limit_is_within_the_host_and_above_what_is_used(host: HostFacts, wanted: list[Demand]) -> None:
    for demand in wanted:
        cpus = cpu_limit(demand, host.cpus, 0.2)
        assert 0 <= cpus <= host.cpus
        if SHARES[demand.kind].cpu_part:
            assert cpus >= min(demand.cpus_used, int(host.cpus * 4) / 4)


@given(sizes)
def test_rounding_is_to_numbers_that_people_write(size: int) -> None:
    assert round_down(size) <= size <= round_up(size)
    assert round_up(size) - round_down(size) <= step_of(size)
    assert round_down(size) % (64 * MIB) == 0
    assert round_up(size) % (64 * MIB) == 0


@given(sizes, sizes)
def test_the_reserve_leaves_more_of_a_larger_host(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert small - system_reserve(small) <= large - system_reserve(large)


def test_the_arithmetic_adds_up() -> None:
    wanted = [
        Demand("temporal", "temporal", stated=512 * MIB, stated_by="inventory", cpus=1.0),
        Demand("postgres", "postgres", need=592 * MIB, need_reason="shared_buffers 128m + ..."),
        Demand("worker", "worker", 2),
    ]
    budget = share_out(HostFacts(4 * GIB, 2, 300 * MIB, "inventory"), Settings(), wanted)
    assert [line.split() for line in budget.arithmetic[:4]] == [
        ["memory", "of", "the", "host", "(inventory)", "4096m"],
        ["less", "kernel,", "engine", "and", "page", "cache", "512m"],
        ["less", "other", "containers", "and", "processes", "300m"],
        ["for", "the", "stack", "3284m"],
    ]
    text = "\n".join(budget.arithmetic)
    assert f"{total(budget) // MIB}m" in text
    assert f"left{(budget.available - total(budget)) // MIB:>49}m" in text
    assert re.search(r"^worker +worker +256m +\d+m +1.0 +budget x 2$", text, re.MULTILINE)
    assert "slowed down and not killed" in text


def test_over_commitment_names_the_smallest_change_that_fits() -> None:
    wanted = [
        Demand("temporal", "temporal", stated=2 * GIB, stated_by="file", floor=300 * MIB),
        Demand("postgres", "postgres", stated=3 * GIB, stated_by="inventory", floor=2900 * MIB),
    ]
    budget = share_out(HostFacts(4 * GIB, 2, 0, "inventory"), Settings(), wanted)
    assert not budget.ok
    assert "5120m, 1536m more than the 3584m" in budget.refusal
    assert "lower the limit of temporal from 2g to 512m" in budget.refusal
    assert "a host with 5632m" in budget.refusal
    assert share_out(HostFacts(4 * GIB, 2), Settings(), [wanted[0]._replace(stated=512 * MIB), wanted[1]]).ok


def test_a_stated_reserve_replaces_the_rule() -> None:
    budget = share_out(HostFacts(4 * GIB, 2, 100 * MIB), Settings(reserve=GIB), [Demand("a", "redis")])
    assert budget.reserve == GIB + 100 * MIB


@pytest.mark.parametrize(
    ("kind", "cores", "used", "expected"),
    [
        ("temporal", 2, 0.0, 1.0),
        ("temporal", 8, 0.0, 4.0),
        ("temporal", 1, 0.0, 1.0),
        ("temporal", 2, 1.4, 1.75),
        ("temporal", 2, 5.0, 2.0),
        ("redis", 64, 0.0, 1.0),
        ("temporal-ui", 2, 0.0, 0.25),
        ("temporal-schema", 2, 0.0, 0.0),
    ],
)
def test_cpu_limits(kind: str, cores: float, used: float, expected: float) -> None:
    assert cpu_limit(Demand("a", kind, cpus_used=used), cores, 0.2) == expected
