"""A run as one struct for each moment."""

import pytest

from fleet.cloud.quotas import Quota
from fleet.run.attendance import LINES_MAX
from fleet.run.faults import FaultTable
from fleet.run.histogram import Histogram
from fleet.run.measured import LOOP_LAG_P99_MAX_MS
from fleet.run.messages import Pulse
from fleet.web import run_view
from fleet.web.run_view import RunView, lines_after, phase_times, since, stage_names
from tests.web.control_world import World


def view(world: World) -> RunView:
    return RunView(world.live, world.control.injecting.injected)


def stages(world: World) -> list[tuple[str, int, int, str]]:
    return [(s.name, s.done, s.of, s.state) for s in view(world).moment().stages]


def test_a_fleet_that_only_stays() -> None:
    world = World()
    world.fleet.enter(0, "ONLINE", "online")
    moment = view(world).moment()
    assert (moment.scenario, moment.phase, moment.stages, moment.people) == ("", "", [], None)
    assert (moment.lights, moment.states) == ({"off": 5, "online": 1}, {"off": 5, "online": 1})
    assert (moment.devices, moment.quotas) == (6, None)


def test_stages_of_a_run() -> None:
    world = World(playing=True)
    assert world.run is not None
    assert [stage[0] for stage in stages(world)] == list(stage_names(world.run))
    assert stages(world)[0] == ("start", 0, 0, "now")
    world.run.phase = "home"
    world.fleet.enter(0, "ONLINE", "online")
    assert stages(world)[1] == ("home", 1, 6, "now")
    world.run.phase = "unbind"
    world.run.late["home"] = 2
    world.run.tally.unbound = {0: "qr", 1: "qr"}
    world.run.tally.rebound = {0}
    assert stages(world)[1:] == [
        ("home", 4, 6, "done"),
        ("return", 6, 6, "done"),
        ("reset", 6, 6, "done"),
        ("unbind", 2, 6, "now"),
        ("rebind", 1, 2, "later"),
        ("check", 0, 0, "later"),
    ]
    world.run.phase = "done"
    assert stages(world)[-1] == ("check", 0, 0, "done")


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"start": "shelf"}, ("start", "unbind", "rebind", "check")),
        ({"unbind": False}, ("start", "home", "stay", "check")),
    ],
)
def test_other_runs_have_other_stages(changes: dict[str, object], names: tuple[str, ...]) -> None:
    world = World(playing=True, **changes)
    assert world.run is not None
    assert stage_names(world.run) == names
    assert [stage[0] for stage in stages(world)] == list(names)


def test_rates_need_two_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr("fleet.web.run_view.time.monotonic", lambda: now_s)
    world = World(playing=True)
    look = view(world)
    assert look.moment().states_per_s == 0
    for number in range(4):
        world.fleet.enter(number, "BOOTING", "booting")
    now_s = 102.0
    assert look.moment().states_per_s == 2


def test_percentiles_of_phases() -> None:
    histogram = Histogram()
    for value_ms in range(1, 101):
        histogram.record(float(value_ms))
    (times,) = phase_times({"boot": histogram, "scan": Histogram()})
    assert (times.name, times.count, times.max_ms) == ("boot", 100, 100)
    assert (times.p50_ms, times.p99_ms) == pytest.approx((50, 99), rel=0.01)


def test_lag_of_the_last_seconds() -> None:
    before, after = Histogram(), Histogram()
    for lag in (1.0, 500.0):
        before.record(lag)
        after.record(lag)
    assert since(before, after).count == 0
    assert since(before, after).percentile(99) == 0
    after.record(2.0)
    assert since(before, after).count == 1


def test_a_generator_that_does_not_keep_up() -> None:
    world = World()
    look = view(world)
    assert not look.moment().generator.held_back
    lag = Histogram()
    lag.record(LOOP_LAG_P99_MAX_MS * 2)
    world.fleet.measured.take(0, Pulse({}, lag, 10, 7, 0.0))
    generator = look.moment().generator
    assert generator.held_back
    assert (generator.frames, generator.decoded) == (10, 7)


def test_quotas_have_names_of_products_and_all_operators() -> None:
    world = World(playing=True)
    look = view(world)
    product = world.population.products[0]
    look.quotas = [
        Quota("product", product.product_id, "2024-01-01", 2, 50),
        Quota("account", "owner@maker", "2024-01-01", 3, 100),
    ]
    quotas = look.moment().quotas
    assert quotas is not None
    assert [(q.name, q.used, q.limit) for q in quotas] == [
        (product.name, 2, 50),
        ("owner@maker", 3, 100),
        ("repair@partner", 0, 100),
        ("after-sale@maker", 0, 100),
    ]


def test_faults_of_the_scenario() -> None:
    world = World(
        playing=True,
        faults=(
            FaultTable("power_cut", "unbind", for_s=1),
            FaultTable("cloud_slow", "always", for_s=1, latency_ms=5),
        ),
    )
    assert world.run is not None
    world.run.phase = "unbind"
    world.fleet.measured.struck[0] = {"online": 3}  # type: ignore[assignment]
    first, second = view(world).moment().faults
    assert (first.kind, first.struck, first.now, first.played) == ("power_cut", 3, True, True)
    assert (second.now, second.played) == (True, False)


def test_the_past() -> None:
    world = World()
    world.told("first")
    world.fleet.now += 3_500
    world.fleet.enter(0, "ONLINE", "online")
    past = view(world).past()
    assert past.slot_s == 1
    assert [slot.at_s for slot in past.slots] == [1, 2, 3]
    assert past.slots[0].lights == {"off": 5, "online": 1}
    assert [(line.number, line.text) for line in past.lines] == [(1, "first")]


def test_lines_are_numbered_though_old_ones_go() -> None:
    world = World()
    for number in range(LINES_MAX + 5):
        world.told(f"line {number + 1}")
    new = lines_after(world.told, LINES_MAX + 3)
    assert [(line.number, line.text) for line in new] == [
        (LINES_MAX + 4, f"line {LINES_MAX + 4}"),
        (LINES_MAX + 5, f"line {LINES_MAX + 5}"),
    ]
    assert len(lines_after(world.told, 0)) == run_view.LINES_MAX
