"""/metrics, and the dashboard that asks for them."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from firmware_sim.errors import UsageError
from fleet.app.errors import CloudUnreachable
from fleet.run.histogram import Histogram
from fleet.run.messages import Heard
from fleet.run.population import populate
from fleet.run.scenario import Product, load_scenario
from fleet.web.app import make_app
from fleet.web.metrics import OTHER, PRODUCTS_MAX, bounded, cumulative, metrics_route
from fleet.web.routes import Room
from tests.web.client import browser
from tests.web.control_world import World

DASHBOARD = Path(__file__).parents[2] / "tools" / "grafana" / "fleet.json"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(world: World, *, password: str = "", **headers: str) -> tuple[int, str]:
    """Return status and text of one look."""

    async def run() -> tuple[int, str]:
        app = make_app(
            [Room("fleet", "Fleet", "")],
            password=password,
            more=[metrics_route(world.live, lambda: 3)],
        )
        async with browser(app, **headers) as client:
            reply = await client.get("/metrics")
            return reply.status_code, reply.text

    return asyncio.run(run())


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_fleet_and_its_run() -> None:
    world = World(playing=True)
    assert world.run is not None
    world.fleet.enter(0, "ONLINE", "online")
    world.run.tally.unbound = {0: "qr"}
    world.run.tally.refused["token_dead"] += 2
    world.fleet.measured.phases["boot"].record(1_900)
    status, text = scrape(world)
    found = samples(text)
    assert status == 200
    assert found["fleet_devices_by_state", (("state", "online"),)] == 1
    assert found["fleet_devices_by_light", (("light", "off"),)] == 5
    assert found["fleet_devices", (("product", "camera"),)] == 4
    assert found["fleet_devices_online", (("product", "camera"),)] == 1
    assert found["fleet_unbound_total", ()] == 1
    assert found["fleet_refused_total", (("reason", "token_dead"),)] == 2
    assert found["fleet_phase_seconds_bucket", (("le", "2.5"), ("phase", "boot"))] == 1
    assert found["fleet_phase_seconds_bucket", (("le", "1"), ("phase", "boot"))] == 0
    assert found["fleet_phase_seconds_count", (("phase", "boot"),)] == 1
    assert found["fleet_phase", (("phase", "start"),)] == 1
    assert found["fleet_operators", ()] == 3
    assert found["fleet_cloud_requests_total", ()] == 7
    assert found["fleet_cloud_services_total", (("service", "dp_reports"),)] == 3
    assert (found["fleet_cloud_up", ()], found["fleet_web_sessions", ()]) == (1, 3)
    assert found["fleet_cpu_seconds_total", (("process", "runner"),)] > 0


@pytest.mark.parametrize("failure", [CloudUnreachable("away"), UsageError("it refuses")])
def test_a_cloud_that_is_away(failure: Exception) -> None:
    world = World()
    world.fleet.admin.failure = failure
    found = samples(scrape(world)[1])
    assert found["fleet_cloud_up", ()] == 0
    assert not [name for name, _ in found if name.startswith("fleet_cloud_r")]
    world.fleet.shards = []
    assert samples(scrape(world)[1])["fleet_cloud_up", ()] == 0


def test_programs_give_the_password() -> None:
    world = World()
    assert scrape(world, password="s3cret")[0] == 401
    assert scrape(world, password="s3cret", Authorization="Bearer s3cret")[0] == 200


def test_there_is_no_series_for_a_device() -> None:
    def series(devices: int) -> int:
        plan = load_scenario()
        world = World()
        world.fleet.population = populate(plan, devices, 1)
        world.fleet.watch.grow(devices)
        return len(samples(scrape(world)[1]))

    assert series(10) == series(500)


def test_products_are_bounded() -> None:
    world = World(products=tuple(Product(f"camera {n}", "ipc-old", 1) for n in range(6)))
    counts = {f"product {number}": 1.0 for number in range(PRODUCTS_MAX + 5)}
    kept = bounded(counts, PRODUCTS_MAX)
    assert (len(kept), kept[OTHER]) == (PRODUCTS_MAX + 1, 5)
    assert set(bounded({}, PRODUCTS_MAX, counts)) == set(kept), "the same ones, whatever is counted"
    assert len(samples(scrape(world)[1])) < 400


def test_strange_names_become_plain_labels() -> None:
    assert bounded({'a"b\\c\nd' + "e" * 99: 1}, 5) == {"a_b_c_d" + "e" * 53: 1}
    assert bounded({"a{": 1, "a}": 2}, 5) == {"a_": 3}


def test_histograms_count_from_below() -> None:
    histogram = Histogram()
    for value_ms in (40, 400, 4_000, 400_000):
        histogram.record(value_ms)
    buckets, sum_s = cumulative(histogram, (0.05, 0.5, 5.0))
    assert buckets == [("0.05", 1), ("0.5", 2), ("5", 3), ("+Inf", 4)]
    assert sum_s == pytest.approx(404.44, rel=0.02)


def test_every_query_of_the_dashboard_names_metrics_and_labels_that_exist() -> None:
    world = World(playing=True)
    world.fleet.retries.take(Heard(0, 1, "activation_refused", "TOKEN_DEAD"))
    assert world.run is not None
    world.run.tally.refused["token_dead"] += 1
    world.run.tally.failed["not_unbound"] += 1
    known = samples(scrape(world)[1])
    names = {name for name, _ in known}
    labels = {label for _, pairs in known for label, _ in pairs} | {"job"}
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [
        (target["expr"], target["legendFormat"])
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    assert len(queries) > 30
    for query, legend in queries:
        asked = set(re.findall(r"fleet_\w+", query))
        assert asked, query
        assert asked <= names, query
        assert set(re.findall(r"(\w+)=", query)) == {"job"}, query
        assert set(re.findall(r"{{(\w+)}}", legend)) <= labels, legend
        for grouped in re.findall(r"by \(([^)]*)\)", query):
            assert set(grouped.split(", ")) <= labels, query
