"""What the runner itself decides; whole runs are in tests/live/run/test_command.py."""

import asyncio
from typing import Any, cast

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.run import stage as module
from fleet.run.calendar import Calendar, arrivals
from fleet.run.chronicle import Chronicle
from fleet.run.faults import FaultTable
from fleet.run.messages import Chip, Heard
from fleet.run.retries import Retries
from fleet.run.runner import LINK_PATIENCE_S, Run
from fleet.run.scenario import Campaign, Product
from fleet.run.stage import Crew
from hw_profiles import catalog
from tests.run.fakes import MiniCloud, MiniWorld, small

POPULATION = small(
    6, products=(Product("camera", "ipc-red-green", 4), Product("gateway", "gateway", 2))
)
LONGEST_S = 5.0 + 0.8 + 2.0  # of the gateway: button, erasing, boot


class MiniSupervisor(MiniWorld):
    """Processes that do not exist; `no_snapshots` times there is no snapshot."""

    def __init__(self, no_snapshots: int = 0, stubborn: int = 0) -> None:
        super().__init__(POPULATION, MiniCloud(POPULATION))
        self.chronicle = Chronicle(self.watch, Retries(), 0)
        self.no_snapshots = no_snapshots
        self.stubborn = stubborn

    async def snapshot(self) -> dict[int, Chip]:
        if self.no_snapshots:
            self.no_snapshots -= 1
            raise UsageError("shard 0 died")
        return {0: Chip(0, "WAITING", "DOWN", "NONE", "waiting", "waiting", "", activated=False)}

    def hold(self, indices: Any, hold_ms: int) -> None:
        super().hold(indices, hold_ms)
        if self.stubborn:
            self.stubborn -= 1
            return
        for index in indices:
            self.enter(index, "RESETTING", "resetting", "")
            self.enter(index, "WAITING", "waiting", "waiting")


def a_run(supervisor: MiniSupervisor) -> tuple[Run, list[str]]:
    lines: list[str] = []
    return Run(POPULATION, cast("Crew", supervisor), lines.append), lines


def bound(supervisor: MiniSupervisor) -> None:
    for index in range(len(POPULATION.units)):
        supervisor.enter(index, "ONLINE", "online", "")


def test_buttons_are_held_as_long_as_each_model_wants() -> None:
    supervisor = MiniSupervisor()
    bound(supervisor)
    run, lines = a_run(supervisor)
    asyncio.run(run._reset())
    holds = [entry for entry in supervisor.log if entry[0] == "hold"]
    wanted = {
        catalog.load(name).timings.reset_hold_ms + 200 for name in ("ipc-red-green", "gateway")
    }
    assert len(wanted) == 2
    assert {entry[2] for entry in holds} == wanted
    assert sorted(index for entry in holds for index in entry[1]) == list(range(6))
    assert lines == []


def test_who_was_not_reset_is_held_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESET_SLACK_S", -LONGEST_S)
    supervisor = MiniSupervisor(stubborn=1)
    bound(supervisor)
    run, lines = a_run(supervisor)
    asyncio.run(run._reset())
    assert len([entry for entry in supervisor.log if entry[0] == "hold"]) == 3
    assert lines == []


def test_who_cannot_be_reset_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESET_SLACK_S", -LONGEST_S)
    supervisor = MiniSupervisor(stubborn=1000)
    bound(supervisor)
    run, lines = a_run(supervisor)
    asyncio.run(run._reset())
    assert lines == ["6 of 6 devices have not reached waiting after a reset in time; going on"]


def test_a_missing_snapshot_is_asked_for_again() -> None:
    run, lines = a_run(MiniSupervisor(no_snapshots=2))
    chips, lights = asyncio.run(run._settled())
    assert (len(chips), len(lights)) == (1, 6)
    assert lines == ["shard 0 died; looking again"] * 2
    run, _ = a_run(MiniSupervisor(no_snapshots=99))
    with pytest.raises(UsageError, match="no snapshot of all devices in 3 tries"):
        asyncio.run(run._settled())


def test_devices_that_are_late_do_not_stop_the_run() -> None:
    supervisor = MiniSupervisor()
    run, lines = a_run(supervisor)
    run._patience_s = 0.01
    asyncio.run(run._home())
    assert lines == ["6 of 6 devices have not come online at home in time; going on"]


def test_people_are_more_patient_than_an_outage_is_long() -> None:
    table = FaultTable("cloud_down", during="unbind", for_s=50)
    supervisor = MiniSupervisor()
    for faults, patience_s in (((), 30), ((table,), 80)):
        scenario = msgspec.structs.replace(POPULATION.scenario, faults=faults)
        population = msgspec.structs.replace(POPULATION, scenario=scenario)
        run = Run(population, cast("Crew", supervisor), print)
        assert run._link_patience_s() == patience_s


def test_from_a_shelf_devices_end_in_the_dark() -> None:
    supervisor = MiniSupervisor()
    for index in range(6):
        supervisor.enter(index, "OFF", "off", "")
    scenario = msgspec.structs.replace(POPULATION.scenario, start="shelf", patience_s=1)
    population = msgspec.structs.replace(POPULATION, scenario=scenario)
    lines: list[str] = []
    run = Run(population, cast("Crew", supervisor), lines.append)
    assert run._patience_s == 1 + 0.02 * 6, "so many are on benches at most"
    asyncio.run(run._settled())
    assert lines == []


def test_a_campaign_begins_with_what_is_there_and_waits_for_the_rest() -> None:
    campaign = Campaign(days=3, arrive_days=2)
    scenario = msgspec.structs.replace(POPULATION.scenario, start="shelf", campaign=campaign)
    population = msgspec.structs.replace(POPULATION, scenario=scenario)
    supervisor = MiniSupervisor()
    run = Run(population, cast("Crew", supervisor), print)
    calendar = Calendar(0, campaign.days, supervisor.now_ms)
    work = run._work_list(calendar, arrivals(population), lambda _: None)
    assert work.left == 3
    assert work._can_wait(3 * 2 * 100)
    assert not work._can_wait(3 * 2 * 100 + 1)
    work.new_day(arrivals(population)[1])
    assert work.left == 6


def test_failures_are_counted_from_what_devices_noted() -> None:
    supervisor = MiniSupervisor()
    run, _ = a_run(supervisor)
    for kind, detail in (("join_refused", "wifi_password"), ("bad_qr", "x")):
        supervisor.watch.take_heard(Heard(1, 0, kind, detail))
    run.tally.failed["not_unbound"] += 2
    assert run.failed() == {"wifi_password": 1, "not_unbound": 2}


def test_people_are_patient_with_outages_that_take_turns() -> None:
    down = FaultTable("cloud_down", during="always", for_s=20)
    faults = (
        down,
        FaultTable("cloud_down", during="unbind", for_s=7),
        FaultTable("cloud_hung", during="unbind", for_s=3, every_s=10),
        FaultTable("broker_restart", during="unbind", for_s=1, every_s=10, until_s=40),
        FaultTable("power_cut", during="unbind", for_s=900),
    )
    scenario = msgspec.structs.replace(POPULATION.scenario, faults=faults)
    population = msgspec.structs.replace(POPULATION, scenario=scenario)
    run = Run(population, cast("Crew", MiniSupervisor()), print)
    assert run._link_patience_s() == LINK_PATIENCE_S + 20 + 7 + 2 * 3 + (2 * 1 + 40)


def test_a_run_starts_with_nothing() -> None:
    run, _ = a_run(MiniSupervisor())
    assert (run.phase, run.violations, run.refused) == ("start", [], None)
    assert msgspec.to_builtins(run.tally.by_method()) == {"qr": 0, "wired": 0}
