"""The hands and eyes of the people of a run in virtual time: what the supervisor is live.

There are no processes to keep alive: devices, cloud and people share one agenda. Phases, faults,
recovery and retries are counted by the same objects as live.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

import msgspec

from firmware_sim.device.device import Device, Identity
from firmware_sim.effects import Noted, StateShown
from firmware_sim.events import ButtonPressed, ButtonReleased, PowerApplied, PowerRemoved
from firmware_sim.rng import Rng, derive
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.faults import AnyFault
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.eyes import Sight
from firmware_sim.runtime.virtual.trace import Trace
from firmware_sim.runtime.virtual.world import VirtualWorld
from fleet.app.cloud_link import CloudLink
from fleet.app.finder import FOUND_MAX
from fleet.app.lan_client import LanSearch
from fleet.cloud.api.admin_api import Audit
from fleet.cloud.settings import Settings
from fleet.run import messages as msg
from fleet.run import seeding
from fleet.run.ambush import Ambush
from fleet.run.checks.resting_state import bound_ms, is_at_rest
from fleet.run.chronicle import Chronicle
from fleet.run.cloud_faults import CloudFault
from fleet.run.door import Door
from fleet.run.fault_kinds import FaultKind
from fleet.run.fault_plan import Strike
from fleet.run.measured import nothing_measured
from fleet.run.outages import Outages
from fleet.run.owner import OWNERS_AT_ONCE
from fleet.run.phases import PhaseClock, method_of
from fleet.run.phones import LanPhones
from fleet.run.population import Population
from fleet.run.recovery import Recovery
from fleet.run.retries import Retries
from fleet.run.stage import HOMES, WAREHOUSE, Phones, first_site
from fleet.run.usage import Meter
from fleet.run.virtual.broker_port import BrokerPort
from fleet.run.virtual.cloud import HOST, HTTP_PORT, MQTT_PORT, VirtualCloud
from fleet.run.virtual.cloud_mischief import CloudMischief
from fleet.run.virtual.door import VirtualDoor
from fleet.run.virtual.telling.witness import Witness
from fleet.run.watch import Watch

_CLOUD, _WORLD, _PHONES = 300, 301, 302  # branches of the seed
URL = f"http://{HOST}"
_IOT_DNS = (HOST, HTTP_PORT)
REST_LOOK_S = 1.0
OWNERS_SHARE = 10  # so a large fleet is sold as quickly as a small one
CALLS_AT_ONCE, CALLS_SHARE = 16, 10  # of all people together, for the same reason
TONE = "tone"  # the kind of note that nobody counts or asks for afterwards


class Crew:
    """Everything that a run needs, in one virtual world. Make it in the loop of the agenda."""

    def __init__(
        self,
        population: Population,
        agenda: Agenda,
        sight: Sight,
        trace: Trace,
        witness: Witness | None = None,
    ) -> None:
        """Prepare; nothing has happened yet. A `witness` sees what devices, cloud and hands do."""
        self.agenda = agenda
        self.trace = trace
        count = len(population.units)
        self.recovery = Recovery(count, agenda.now_ms, lambda: 0.0)
        self.retries = Retries()
        self.watch = Watch(count, self.recovery.saw)
        self.measured = nothing_measured()
        self.meter = Meter()
        self.chronicle = Chronicle(self.watch, self.retries, agenda.now_ms)
        self.owners_at_once = max(OWNERS_AT_ONCE, count // OWNERS_SHARE)
        self.incidents: list[str] = []
        self.programs = (
            False  # take part, so that push messages are owed; to be said before `start`
        )
        self._population = population
        seed, settings = population.seed, _settings(population, agenda.now_ms)
        self.quota_day_offset_min = settings.quota_day_offset_min
        self.cloud = VirtualCloud(
            agenda,
            settings,
            lambda: seeding.seed(population, bound=True, programs=self.programs),
            derive(seed, _CLOUD),
            trace,
        )
        broker = BrokerPort(self.cloud)
        self.world = VirtualWorld(
            agenda,
            sites=_sites(population),
            hosts={(HOST, HTTP_PORT): self.cloud, (HOST, MQTT_PORT): broker},
            observer=self._observe,
            sight=sight,
            seed=derive(seed, _WORLD),
            trace=trace,
        )
        self._witness = witness
        if witness is not None:
            witness.attend(agenda, self.cloud, population, address)
        outages = Outages(self.watch, self.recovery, self.measured, self.now_ms)
        self._cloud_mischief = CloudMischief(self.cloud, broker, outages)
        self._ambush = Ambush(self._play)
        records = {wired: partial(self._record, method_of(wired=wired)) for wired in (False, True)}
        self._clocks = [PhaseClock(records[unit.product.wired]) for unit in population.units]

    async def start(self) -> None:
        """Start the cloud and make the devices."""
        self.cloud.start()
        population = self._population
        site = first_site(population.scenario)
        for unit in population.units:
            spec = seeding.device_spec(population, unit, address(unit.index), site, bound=True)
            make = Device if self._witness is None else self._witness.device(unit.index)
            self.world.add(
                make(
                    population.profile(unit),
                    Identity(spec.uuid, spec.auth_key, spec.product_id),
                    spec.seed,
                    _IOT_DNS,
                    spec.flash,
                    spec.lan_version,
                ),
                ip=spec.ip,
                site=spec.site,
            )

    # --- what people need -----------------------------------------------------------------------

    def open_link(self, patience_s: float) -> CloudLink:
        """Return people's way to the cloud."""
        at_once = max(CALLS_AT_ONCE, len(self._population.units) // CALLS_SHARE)
        return CloudLink(URL, patience_s=patience_s, connections_max=at_once, carrier=self.cloud)

    @asynccontextmanager
    async def phones(self) -> AsyncIterator[Phones]:
        """Let phones hear the LAN as long as the block lasts."""
        rng = Rng(derive(self._population.seed, _PHONES))
        fleet = max(FOUND_MAX, len(self._population.units))
        async with LanSearch(listen=self.world.lan.listen, found_max=fleet) as search:
            yield LanPhones(search, rng.bytes)

    def now_ms(self) -> int:
        """Return the time."""
        return self.agenda.now_ms

    def door(self, index: int) -> Door:
        """Return the way to the cloud that the firmware of a device has."""
        return VirtualDoor(self.world, index)

    async def audit(self) -> Audit:
        """Return the cloud's books."""
        assert self.cloud.node is not None, "nobody audits a cloud that is down"
        return self.cloud.node.audit()

    async def snapshot(self) -> dict[int, msg.Chip]:
        """Return what each device is and holds, when all are at rest or have had the time for it."""
        await self._rest()
        return {unit.index: self._chip(unit.index) for unit in self._population.units}

    async def _rest(self) -> None:
        patience_ms = max(bound_ms(profile) for profile in self._population.profiles.values())
        over_ms = self.agenda.now_ms + patience_ms
        while self.agenda.now_ms < over_ms and not self._at_rest():
            await asyncio.sleep(REST_LOOK_S)

    def _at_rest(self) -> bool:
        world = self.world
        return all(
            is_at_rest(world.device(unit.index), severed=world.severed(unit.index))
            for unit in self._population.units
        )

    def _chip(self, index: int) -> msg.Chip:
        device = self.world.device(index)
        calls, connects = self.world.traffic(index)
        return msg.Chip(
            index=index,
            lifecycle=device.lifecycle.name,
            session=device.session.name,
            outcome=device.outcome.name,
            light=device.light,
            operator=device.operator,
            dev_id=device.flash.dev_id,
            activated=device.flash.activated,
            calls=calls,
            connects=connects,
            severed=self.world.severed(index),
            erasing=device.flash.resetting is not None,
        )

    # --- hands ----------------------------------------------------------------------------------

    def power(self, indices: Iterable[int], *, on: bool) -> None:
        """Apply or remove the supply voltage."""
        event = PowerApplied() if on else PowerRemoved()
        for index in indices:
            self.world.tell(index, event)

    def hold(self, indices: Iterable[int], hold_ms: int) -> None:
        """Press the reset buttons for `hold_ms`."""
        held = tuple(indices)
        for index in held:
            self._clocks[index].pressed(self.agenda.now_ms)
            self.world.tell(index, ButtonPressed())
        self.agenda.after(hold_ms, self._release, held)

    def _release(self, held: tuple[int, ...]) -> None:
        for index in held:
            self.world.tell(index, ButtonReleased())

    def show(self, indices: Iterable[int], payload: bytes | None) -> None:
        """Bring a code into view, or take it away."""
        for index in indices:
            self._clocks[index].shown(self.agenda.now_ms if payload else 0)
            if self._witness is not None:
                self._witness.shown(index, payload)
            self.world.show(index, payload)

    def move(self, indices: Iterable[int], site: str) -> None:
        """Carry devices to another place."""
        for index in indices:
            if self._witness is not None:
                self._witness.moved(index, site)
            self.world.move(index, site)

    def intend(self, indices: Iterable[int], purpose: str) -> None:
        """Say what the next pairing is for."""
        for index in indices:
            self._clocks[index].purpose = purpose
            if self._witness is not None:
                self._witness.intended(index, purpose)

    # --- faults ---------------------------------------------------------------------------------

    def strike(self, strike: Strike) -> None:
        """Let a fault befall devices."""
        self._ambush.lay(
            strike.number, strike.fault, strike.indices, strike.delays_ms, strike.state
        )

    def call_off(self, numbers: Iterable[int]) -> None:
        """Forget what the tables with these numbers have not begun."""
        over = tuple(numbers)
        self._ambush.calm(over)
        self._cloud_mischief.call_off(over)

    def plays(self, _: FaultKind) -> bool:
        """Say that every fault can be made to happen here."""
        return True

    async def strike_cloud(self, number: int, fault: CloudFault) -> None:
        """Let a fault befall the cloud, as table `number` says; return when it is over."""
        await self._cloud_mischief.strike(number, fault)

    def _play(self, index: int, fault: AnyFault) -> str:
        state = self.world.device(index).lifecycle.name
        if self._witness is not None:
            self._witness.struck(index, fault)
        self.world.strike(index, fault)
        return state

    def take_struck(self) -> None:
        """Add what faults have struck to what was measured."""
        for table, states in self._ambush.take_struck().items():
            self.measured.struck.setdefault(table, Counter()).update(states)

    # --- eyes -----------------------------------------------------------------------------------

    def _observe(self, index: int, what: StateShown | Noted, now_ms: int) -> None:
        if type(what) is Noted:
            if what.kind == TONE:
                return
            heard = msg.Heard(index, now_ms, what.kind, what.detail)
            self.watch.take_heard(heard)
            self.retries.take(heard)
            return
        assert type(what) is StateShown, "there is nothing else to observe"
        seen = msg.Seen(
            index, now_ms, what.lifecycle, what.session, what.light, what.operator, what.cause
        )
        self._clocks[index].saw(seen)
        self._ambush.saw(index, what.lifecycle)
        self.watch.take_seen(seen)

    def _record(self, method: str, phase: str, duration_ms: int) -> None:
        self.measured.phases[phase].record(duration_ms)
        self.chronicle.took(method, phase, duration_ms)


def _settings(population: Population, now_ms: int) -> Settings:
    """Return the cloud's settings; passwords are simulated ones and need no hardening."""
    usual = seeding.settings(population, "", now_ms)
    return msgspec.structs.replace(usual, password_iterations=1)


def _sites(population: Population) -> dict[str, AccessPoint]:
    units = population.units
    homes = {unit.home.ssid: unit.home.password for unit in units}
    homes |= {unit.new_home.ssid: unit.new_home.password for unit in units if unit.new_home}
    scenario, warehouse = population.scenario, population.warehouse
    return {
        HOMES: AccessPoint(homes, scenario.home.join_ms),
        WAREHOUSE: AccessPoint({warehouse.ssid: warehouse.password}, scenario.warehouse.join_ms),
    }


def address(index: int) -> str:
    """Return the address of a device: virtual networks are as large as needed."""
    number = index + 2
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
