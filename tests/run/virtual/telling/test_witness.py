"""A witness sees a whole run, changes nothing about it, and tells no secret of anybody."""

from collections.abc import Iterator
from typing import cast

import msgspec
import pytest

from firmware_sim.device.device import Device
from firmware_sim.device.watched import WatchedDevice
from firmware_sim.runtime.faults import (
    AnyFault,
    ClockSkew,
    Fault,
    HalfOpen,
    Lasting,
    Loss,
    PowerCut,
    Slow,
)
from firmware_sim.runtime.virtual.trace import Entry
from fleet.cloud.devices import Device as Registered
from fleet.cloud.messages import HttpRequested
from fleet.cloud.store.records import Change, Put
from fleet.cloud.tokens import PairToken, UnbindToken
from fleet.run.phases import REBIND, UNBIND
from fleet.run.population import Population, populate
from fleet.run.scenario import load_scenario
from fleet.run.stage import HOMES, WAREHOUSE
from fleet.run.virtual.command import Play
from fleet.run.virtual.crew import Crew
from fleet.run.virtual.sights import make_sight
from fleet.run.virtual.story import lines, tell
from fleet.run.virtual.telling.cloud_witness import NOBODY
from fleet.run.virtual.telling.line import Line, Turn
from fleet.run.virtual.telling.witness import Witness


class Played:
    """One run before a witness, with every secret that was in it."""

    def __init__(self, scenario: str, devices: int, seed: int, *, watch: bool = True) -> None:
        self.population = populate(load_scenario(scenario), devices, seed)
        self.entries: list[Entry] = []
        self.witness = Witness(self.entries.append)
        self.secrets = {*given(self.population)}
        watcher = self.witness if watch else None
        self.play = Play(self.population, make_sight("model", "pyzbar"), print, witness=watcher)
        attend = Crew.start

        async def start(crew: Crew) -> None:
            crew.cloud.disk.written.append(self._written)
            crew.cloud.arrived.append(self._arrived)
            await attend(crew)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Crew, "start", start)
            self.play.play()
        assert self.play.aborted == ""

    def _written(self, changes: tuple[Change, ...]) -> None:
        """Note what the cloud issues: tokens, whole and as firmware sends them, and keys."""
        for record in [change.record for change in changes if isinstance(change, Put)]:
            if isinstance(record, PairToken | UnbindToken):
                self.secrets |= {record.text, record.token}
            elif isinstance(record, Registered):
                self.secrets |= {record.sec_key, record.local_key} - {""}

    def _arrived(self, event: object) -> None:
        if isinstance(event, HttpRequested) and event.authorization:
            self.secrets.add(event.authorization.removeprefix("Bearer "))


def given(population: Population) -> Iterator[str]:
    """Return the secrets that a population begins with."""
    yield from (population.warehouse.password, population.maker.password)
    yield from (person.password for person in (*population.operators, population.purchaser))
    for unit in population.units:
        yield from (unit.auth_key, unit.sec_key, unit.local_key)
        yield from (unit.owner.password, unit.home.password)
        if unit.new_owner is not None and unit.new_home is not None:
            yield from (unit.new_owner.password, unit.new_home.password)


@pytest.fixture(scope="module", params=[("batch-unbind", 14, 1), ("power-cut", 8, 2)], ids=str)
def played(request: pytest.FixtureRequest) -> Played:
    return Played(*request.param)


def test_nothing_of_a_run_changes_before_a_witness(played: Played) -> None:
    population = played.population
    scenario, size = population.scenario.name, len(population.units)
    alone = Played(scenario, size, population.seed, watch=False)
    assert alone.entries == []
    assert played.play.trace.digest() == alone.play.trace.digest()
    assert played.play.trace.count == alone.play.trace.count


def test_no_secret_of_anybody_is_told(played: Played) -> None:
    assert len(played.secrets) > 8 * len(played.population.units)
    told = "\n".join([*tell(played.entries), *tell(played.witness.last)]) + repr(played.entries)
    assert len(told) > 100_000
    assert [secret for secret in played.secrets if secret in told] == []


def test_rows_of_all_tables_and_handlers_of_the_cloud_are_named(played: Played) -> None:
    places = {line.place.partition(":")[0] for _, line in lines(played.entries)}
    assert places >= {
        *(f"firmware_sim/device/{name}.py" for name in ("lifecycle", "session", "button")),
        *(f"fleet/cloud/api/{name}.py" for name in ("console_api", "device_api", "iot_dns_api")),
        "fleet/cloud/broker/broker.py",
    }


def test_entries_come_in_the_order_of_time(played: Played) -> None:
    times = [at_ms for at_ms, _, _, _ in played.entries]
    assert times == sorted(times)


def test_faults_are_told_where_there_are_any(played: Played) -> None:
    kinds = {line.text.split()[0] for _, line in lines(played.entries) if line.who == "fault"}
    assert kinds == {table.kind for table in played.population.scenario.faults}


# --- a witness alone ----------------------------------------------------------------------------


def alone(*indices: int) -> tuple[Witness, list[Entry]]:
    entries: list[Entry] = []
    return Witness(entries.append, indices or None), entries


def test_only_those_are_watched_that_are_to_be() -> None:
    witness, entries = alone(3)
    assert witness.device(1) is Device
    assert witness.device(3) is not Device
    witness.shown(1, b"code")
    witness.moved(1, HOMES)
    witness.struck(1, HalfOpen())
    assert entries == []
    assert [witness.watches(index) for index in (1, 3)] == [False, True]
    assert alone()[0].watches(1)


def test_what_is_made_to_be_watched_is_a_device_like_any_other() -> None:
    assert issubclass(WatchedDevice, Device)


@pytest.mark.parametrize(
    ("site", "words", "turn"),
    [(HOMES, "is carried to a home", Turn.REBIND), (WAREHOUSE, "is carried to the warehouse", None)],
)  # fmt: skip
def test_hands_that_carry_are_told(site: str, words: str, turn: Turn | None) -> None:
    witness, entries = alone()
    witness.moved(2, site)
    assert entries == [(0, "bench", 2, (Line("bench", f"device 2 {words}", turn=turn),))]


def test_hands_that_show_a_code_are_told_without_it() -> None:
    witness, entries = alone()
    witness.shown(2, b"a secret code")
    witness.shown(2, None)
    assert [line.text for _, line in lines(entries)] == [
        "a phone shows a QR code of 13 bytes to the lens of device 2",
        "the phone is taken away from the lens of device 2",
    ]


@pytest.mark.parametrize(("purpose", "turn"), [(UNBIND, Turn.UNBIND), (REBIND, Turn.REBIND)])
def test_purposes_are_turns(purpose: str, turn: Turn) -> None:
    witness, entries = alone()
    witness.intended(2, purpose)
    assert [line.turn for _, line in lines(entries)] == [turn]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (PowerCut(3000), "power_cut at device 2, for 3 s"),
        (Slow(1000, 250), "slow at device 2, for 1 s, latency 0.25 s"),
        (HalfOpen(), "half_open at device 2"),
        (Loss(1500, loss_pct=30), "loss at device 2, for 1.5 s, loss 30 %"),
        (ClockSkew(1000, skew_s=-400), "clock_skew at device 2, for 1 s, skew -400 s"),
    ],
    ids=str,
)
def test_faults_are_told_with_their_terms(fault: AnyFault, text: str) -> None:
    witness, entries = alone()
    witness.struck(2, fault)
    assert [line.text for _, line in lines(entries)] == [text]


@pytest.mark.parametrize("kind", [HalfOpen, *Lasting.__subclasses__()], ids=lambda k: k.__name__)
def test_every_fault_has_words(kind: type[Fault]) -> None:
    witness, entries = alone()
    fields = msgspec.structs.fields(kind)
    fault = kind(**{field.name: 1 for field in fields})
    witness.struck(2, cast("AnyFault", fault))
    [(_, line)] = lines(entries)
    assert line.text.count(", ") == len(fields)


def test_notes_of_others_are_passed_on_and_those_of_people_are_not() -> None:
    witness, entries = alone()
    witness.note(5, "cloud", 0, "crash")
    witness.note(6, "person", 0, "GET /app/v1/devices")
    assert entries == [(5, "cloud", 0, "crash")]
    assert [what for _, _, _, what in witness.last] == ["crash", "GET /app/v1/devices"]
    assert NOBODY < 0
