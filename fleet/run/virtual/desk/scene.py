"""The desk: one device of a model, the places it can be at, its cloud, and the hands on it.

Everything is that of a run in virtual time: the same firmware, cloud, networks and lenses. There are
three places, each with a Wi-Fi of its own: the home of the first owner, the warehouse to which goods
come back, and the home of whoever buys the device next.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from firmware_sim.device.device import Device, Identity
from firmware_sim.device.profile import Profile
from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import UsageError
from firmware_sim.events import ButtonPressed, ButtonReleased, PowerApplied, PowerRemoved
from firmware_sim.rng import derive
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.faults import WifiGone
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.world import VirtualWorld
from fleet.run import seeding
from fleet.run.population import Network, Person, Population, Unit, populate
from fleet.run.scenario import Operator, Product, Scenario, Warehouse
from fleet.run.virtual.broker_port import BrokerPort
from fleet.run.virtual.cloud import HOST, HTTP_PORT, MQTT_PORT, VirtualCloud
from fleet.run.virtual.desk.happenings import DeskWitness, Happening, Shown, Sounded, Tell
from fleet.run.virtual.sights import MODEL, make_sight

HOME, WAREHOUSE, NEW_HOME = "home", "warehouse", "new_home"
PLACES: Mapping[str, str] = {
    HOME: "at home",
    WAREHOUSE: "in the warehouse",
    NEW_HOME: "at the next owner's",
}
OWNER: Final = "owner"
PARTNER: Final = "partner"
AFTER_SALE: Final = "after_sale"
NO_RIGHT, FIRST_OWNER, NEXT_OWNER = "no_right", "first_owner", "next_owner"
JOIN_MS = 2500  # scanning, the handshake and DHCP, as people know it from their phones
DEVICE_IP = "10.0.0.2"
YOU = "you"
_DEVICE = 0  # the one index there is
_CLOUD, _WORLD = 1, 2  # branches of the seed


class Touch(msgspec.Struct, frozen=True):
    """How the hands have left the device and what is around it."""

    powered: bool = False
    pressed: bool = False
    plugged: bool = False
    wifi: bool = True  # the network of the place is on the air
    place: str = HOME
    shown: int = 0  # the number of the code that is held to the lens; 0: none


class Desk:
    """Make it in the running loop of the agenda.

    `touch` and `last` are how things are now; they are replaced and never changed.
    `tell` is called with everything that happens, `looks` with each state that is shown, before it,
    and `instruments` with all that the device shows or notes, before both.
    """

    def __init__(self, profile: str, agenda: Agenda, tell: Tell, seed: int = 1) -> None:
        """Put everything in place; nothing has happened yet. UsageError for an unknown model."""
        self.population = populate(_scenario(profile), 1, seed)
        self.agenda = agenda
        self.touch = Touch(plugged=self.profile.wired)
        self.last = Shown(agenda.now_ms, "OFF", "DOWN", "off", "", "")
        self.looks: list[Callable[[Shown], None]] = []
        self.instruments: list[Callable[[StateShown | Noted, int], None]] = []
        self._pass_on = tell
        self.witness = DeskWitness(tell)
        usual = seeding.settings(self.population, "", agenda.now_ms)
        self.cloud = VirtualCloud(
            agenda,
            msgspec.structs.replace(usual, password_iterations=1),  # nobody's real password
            lambda: seeding.seed(self.population, bound=True),
            derive(seed, _CLOUD),
            self.witness,
        )
        self._air = {place: _air(self.network(place)) for place in PLACES}
        self.world = VirtualWorld(
            agenda,
            sites=self._air,
            hosts={(HOST, HTTP_PORT): self.cloud, (HOST, MQTT_PORT): BrokerPort(self.cloud)},
            observer=self._observe,
            sight=make_sight(MODEL, "pyzbar"),
            seed=derive(seed, _WORLD),
            trace=self.witness,
        )
        self.witness.attend(agenda, self.cloud, self.population, lambda _: DEVICE_IP)

    def start(self) -> None:
        """Start the cloud, and put the device down: bound to its first owner, and switched off."""
        self.cloud.start()
        unit = self.unit
        spec = seeding.device_spec(self.population, unit, DEVICE_IP, HOME, bound=True)
        device = self.witness.device(_DEVICE)(
            self.profile,
            Identity(spec.uuid, spec.auth_key, spec.product_id),
            spec.seed,
            (HOST, HTTP_PORT),
            spec.flash,
            spec.lan_version,
        )
        self.world.add(device, ip=DEVICE_IP, site=HOME)

    # --- what and who there is ------------------------------------------------------------------

    @property
    def unit(self) -> Unit:
        """Return the device, and to whom it belongs."""
        [unit] = self.population.units
        return unit

    @property
    def profile(self) -> Profile:
        """Return its model."""
        return self.population.profile(self.unit)

    @property
    def device(self) -> Device:
        """Return the device itself."""
        return self.world.device(_DEVICE)

    def network(self, place: str) -> Network:
        """Return the Wi-Fi of a place."""
        unit = self.unit
        assert unit.new_home is not None, "there is a next owner"
        return {
            HOME: unit.home,
            WAREHOUSE: self.population.warehouse,
            NEW_HOME: unit.new_home,
        }[place]

    def person(self, role: str) -> Person:
        """Return who has a role. Raises UsageError for a role that nobody has."""
        people = people_of(self.population)
        if role not in people:
            raise UsageError(f"nobody is {role!r} here; there are {', '.join(people)}")
        return people[role]

    # --- hands ----------------------------------------------------------------------------------

    def power(self, *, on: bool) -> None:
        """Switch the device on or off."""
        if on != self.touch.powered:
            self._set(powered=on)
            self.say("switch the power on" if on else "switch the power off")
            self.world.tell(_DEVICE, PowerApplied() if on else PowerRemoved())

    def press(self) -> None:
        """Put a finger on the reset button."""
        if not self.touch.pressed:
            self._set(pressed=True)
            self.say("press the reset button and hold it")
            self.world.tell(_DEVICE, ButtonPressed())

    def release(self) -> None:
        """Take the finger away."""
        if self.touch.pressed:
            self._set(pressed=False)
            self.say("let go of the reset button")
            self.world.tell(_DEVICE, ButtonReleased())

    def plug(self, *, connected: bool) -> None:
        """Put the cable in, or pull it. Raises UsageError for a device without a socket for one."""
        if not self.profile.wired:
            raise UsageError("this device has no socket for a cable")
        if connected != self.touch.plugged:
            self._set(plugged=connected)
            self.say("put the cable in" if connected else "pull the cable out")
            self.world.plug(_DEVICE, connected=connected)

    def set_wifi(self, *, on: bool) -> None:
        """Switch the Wi-Fi of the place on or off; whoever is in it loses it at once."""
        network, air = self.network(self.touch.place), self._air[self.touch.place]
        self._set(wifi=on)
        self.say(f"switch the Wi-Fi {network.ssid!r} {'on' if on else 'off'}")
        if on:
            air.networks[network.ssid] = network.password
        elif air.networks.pop(network.ssid, None) is not None:
            self.world.strike(_DEVICE, WifiGone(1))  # from then on it is simply not there

    def move(self, place: str) -> None:
        """Carry the device to another place. Raises UsageError for one that there is not."""
        if place not in PLACES:
            raise UsageError(f"no place {place!r}; there are {', '.join(PLACES)}")
        if place != self.touch.place:
            wifi = self.network(place).ssid in self._air[place].networks
            self._set(place=place, wifi=wifi)
            self.say(f"carry the device: it is {PLACES[place]} now")
            self.world.move(_DEVICE, place)

    def show(self, payload: bytes | None, number: int = 0) -> None:
        """Hold a code to the lens, or take it away (None); `number` is what `touch.shown` says."""
        if self.profile.wired and payload is not None:
            raise UsageError("this device has no camera; use the app's wired way")
        if payload is None and not self.touch.shown:
            return
        self._set(shown=number if payload is not None else 0)
        self.say("hold a QR code to the camera" if payload is not None else "take the code away")
        self.world.show(_DEVICE, payload)

    def say(self, text: str, who: str = YOU) -> None:
        """Tell what somebody does."""
        self.witness.say(who, text)

    def _set(self, **changes: bool | str | int) -> None:
        self.touch = msgspec.structs.replace(self.touch, **changes)

    # --- eyes -----------------------------------------------------------------------------------

    def _observe(self, _: int, what: StateShown | Noted, now_ms: int) -> None:
        for read in tuple(self.instruments):
            read(what, now_ms)
        happening: Happening
        if isinstance(what, StateShown):
            self.last = happening = Shown(
                now_ms, what.lifecycle, what.session, what.light, what.operator, what.cause
            )
            for look in tuple(self.looks):
                look(happening)
        elif what.kind == "tone":
            happening = Sounded(now_ms, int(what.detail))
        else:
            return  # the witness has it in words
        self._pass_on(happening)


def people_of(population: Population) -> dict[str, Person]:
    """Return who has which role at a desk."""
    [unit] = population.units
    assert unit.new_owner is not None, "there is a next owner"
    return {
        **{person.role: person for person in population.operators},
        NO_RIGHT: population.purchaser,
        FIRST_OWNER: unit.owner,
        NEXT_OWNER: unit.new_owner,
    }


def _air(network: Network) -> AccessPoint:
    return AccessPoint({network.ssid: network.password}, JOIN_MS)


def _scenario(profile: str) -> Scenario:
    return Scenario(
        name="desk",
        title="One device on a desk",
        devices=1,
        products=(Product("device", profile, 1),),
        operators=(
            Operator("owner@maker", OWNER, 1),
            Operator("repair@partner", PARTNER, 1),
            Operator("after-sale@maker", AFTER_SALE, 1),
        ),
        warehouse=Warehouse("Warehouse", "warehouse-2024"),
        rebind_every=1,
    )
