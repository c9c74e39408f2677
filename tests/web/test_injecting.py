"""Faults by hand: every live kind, with bounds, on those whom it can befall."""

import asyncio
from typing import Any

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.run.cloud_faults import CloudDown
from fleet.run.fault_kinds import KINDS, Range
from fleet.web.fleet_words import Filter, Inject
from fleet.web.injecting import KEPT_MAX, OUTAGES_MAX, Injecting, kinds
from fleet.web.routes import NotFound
from tests.web.control_world import World

LIVE = [name for name, kind in KINDS.items() if kind.live]


def wish(kind: str, **more: Any) -> Inject:
    """Return a fault with a value for each key that it needs."""
    facts = KINDS[kind]
    keys: dict[str, Any] = {
        key: allowed.high if key != "late_s" else 1.0
        for key, allowed in facts.keys.items()
        if isinstance(allowed, Range)
    }
    if facts.lasts:
        keys["for_s"] = 2.0
    if facts.fault is not None:
        keys["filter"] = Filter()
    return Inject(kind=kind, **(keys | more))


@pytest.mark.parametrize("kind", [name for name in LIVE if KINDS[name].fault is not None])
def test_each_kind_befalls_whom_it_can(kind: str) -> None:
    world = World()
    injected = world.control.injecting.inject(wish(kind, within_s=3.0))
    ((order, strike),) = world.orders
    assert order == "strike"
    units = [world.population.units[index] for index in strike.indices]
    assert len(units) == injected.devices > 0
    wired = {"wifi_gone": {False}, "cable_pulled": {True}}.get(kind, {False, True})
    assert {unit.product.wired for unit in units} == wired
    assert all(0 <= delay_ms <= 3000 for delay_ms in strike.delays_ms)
    assert isinstance(strike.fault, KINDS[kind].fault or object)
    assert bool(injected.until_ms) == KINDS[kind].lasts


def test_nobody_on_a_bench_is_struck() -> None:
    world = World()
    [first, *others] = world.population.units
    units = (msgspec.structs.replace(first, foreign=True), *others)
    world.premises.population = msgspec.structs.replace(world.population, units=units)
    assert world.control.injecting.inject(wish("power_cut")).devices == len(others)
    with pytest.raises(UsageError, match="on a bench"):
        world.control.injecting.inject(wish("power_cut", filter=None, devices=(first.uuid,)))


def test_how_many_it_has_struck_is_known_later() -> None:
    world = World()
    injecting = world.control.injecting
    injected = injecting.inject(wish("power_cut", state="online"))
    assert (injected.struck, injected.until_ms) == (0, 0), "nobody knows when"
    assert injected.words == "for 2 s, when online"
    world.fleet.measured.struck[injected.number] = {"online": 2, "waiting": 1}  # type: ignore[assignment]
    assert injecting.injected()[0].struck == 3
    assert injecting.call_off(injected.number).kind == "power_cut"
    assert world.orders[-1] == ("call off", (injected.number,))
    with pytest.raises(NotFound):
        injecting.call_off(7)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (Inject(kind="fire", filter=Filter()), "'fire' is no fault; a live fleet knows wifi_gone"),
        (Inject(kind="cloud_slow", for_s=1.0), "is for virtual time only"),
        (Inject(kind="power_cut", filter=Filter()), "for_s: power_cut has to last some time"),
        (Inject(kind="power_cut", for_s=1.0), "name devices"),
        (Inject(kind="slow", for_s=1.0, filter=Filter()), "latency_ms: slow needs one"),
        (Inject(kind="slow", for_s=1.0, latency_ms=10**9, filter=Filter()), "latency_ms"),
        (Inject(kind="loss", for_s=1.0, latency_ms=5, filter=Filter()), "latency_ms"),
        (Inject(kind="half_open", for_s=1.0, filter=Filter()), "for_s"),
        (Inject(kind="power_cut", for_s=1.0, state="asleep", filter=Filter()), "state"),
        (Inject(kind="cloud_down", for_s=1.0, filter=Filter()), "name no devices"),
        (Inject(kind="cloud_down", for_s=1.0, within_s=1.0), "within_s"),
        (Inject(kind="cloud_down", for_s=1.0, by="fire"), "by"),
    ],
)
def test_what_cannot_be_is_refused(bad: Inject, words: str) -> None:
    world = World()
    with pytest.raises(UsageError, match=words):
        world.control.injecting.inject(bad)
    assert world.orders == []


def test_the_cloud_is_struck_beside_and_let_go_at_the_end() -> None:
    async def scene() -> None:
        world = World()
        injecting = Injecting(world.premises, world.control._choosing)
        async with injecting.life():
            for _ in range(OUTAGES_MAX):
                injected = injecting.inject(wish("cloud_down", by="stop"))
            assert (injected.of, injected.devices) == ("cloud", 6)
            with pytest.raises(UsageError, match="wait for their turn"):
                injecting.inject(wish("cloud_hung"))
            await asyncio.sleep(0)
            assert world.fleet.struck[-1] == (injected.number, CloudDown(2.0, politely=True))

    asyncio.run(scene())


def test_a_cloud_that_does_not_come_back_ends_the_fleet() -> None:
    async def scene() -> None:
        world = World()
        world.fleet.cloud_failure = UsageError("it does not start")
        async with world.control.injecting.life():
            world.control.injecting.inject(wish("cloud_down"))
            await asyncio.sleep(0.01)
        assert world.fleet.failure is world.fleet.cloud_failure

    asyncio.run(scene())


def test_only_the_last_are_kept() -> None:
    world = World()
    for _ in range(KEPT_MAX + 2):
        last = world.control.injecting.inject(wish("half_open"))
    injected = world.control.injecting.injected()
    assert (len(injected), injected[0].number) == (KEPT_MAX, last.number)


def test_kinds_are_those_that_can_be_played() -> None:
    assert [kind.name for kind in kinds()] == LIVE
    by_name = {kind.name: kind for kind in kinds()}
    assert by_name["half_open"].keys == {}
    assert set(by_name["cloud_down"].keys) == {"for_s", "by"}
    assert by_name["loss"].of == "devices"
    assert "for a while, some percent of its packets" in by_name["loss"].what
    assert not [kind.name for kind in kinds() if "`" in kind.what]
