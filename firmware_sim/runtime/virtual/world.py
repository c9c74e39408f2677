"""The virtual world: many devices on one clock that jumps, the network between, and faults.

It offers what the live world offers (`firmware_sim.runtime.live.world`), carries out the same
effects of the same devices and tells them the same events; only sockets, sites and lenses are
others. Everything happens in the order of one agenda, so a run is a function of its seed.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.device import Device
from firmware_sim.effects import Effect, Noted, StateShown
from firmware_sim.events import Event
from firmware_sim.rng import Rng, derive
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.attachment import Attachment
from firmware_sim.runtime.faults import Fault, PowerCut, lies
from firmware_sim.runtime.mischief import Mischief
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.eyes import Eyes, Sight
from firmware_sim.runtime.virtual.lan import Lan
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.place import Place
from firmware_sim.runtime.virtual.trace import Trace
from firmware_sim.runtime.virtual.wan import Call, Host, Stream, Wan
from firmware_sim.runtime.virtual.ways import Ways

Observer = Callable[[int, StateShown | Noted, int], None]
_WAN, _EYES, _LAN = 1, 2, 3  # branches of the seed


class VirtualWorld:
    """Runs devices in virtual time.

    `stepped(place)` is called after each step of a device, `saved(place, image)` when it writes its
    flash.
    """

    def __init__(
        self,
        agenda: Agenda,
        *,
        sites: Mapping[str, AccessPoint],
        hosts: Mapping[tuple[str, int], Host],
        observer: Observer,
        sight: Sight,
        seed: int,
        trace: Trace | None = None,
    ) -> None:
        """Start empty, in the running loop of `agenda`.

        `hosts` are the servers that devices can reach, by name and port. `observer(index, what,
        now_ms)` is called between an event and the next.
        """
        self.agenda = agenda
        self.lan = Lan(agenda, Rng(derive(seed, _LAN)))
        self.wan = Wan(agenda, hosts, Rng(derive(seed, _WAN)))
        self.stepped: list[Callable[[Place], None]] = []
        self.saved: list[Callable[[Place, bytes], None]] = []
        self._attachment = Attachment(sites)
        self._mischief = Mischief(self._attachment, Ways(self.wan, self.lan))
        self._observer = observer
        self._eyes = Eyes(agenda, sight, derive(seed, _EYES))
        self._trace = trace
        self._places: list[Place] = []
        self._ring_at = self._ring  # one object for all plans
        self._busy = False
        self._inbox: list[tuple[Place, Event]] = []
        self._driver_of = self._drivers()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop), "a virtual world lives in a virtual loop"
        loop.connect = self.lan.connect

    # --- the operator's hand --------------------------------------------------------------------

    def add(self, device: Device, *, ip: str, site: str) -> int:
        """Take in a device without power; return its index. UsageError for an unknown site."""
        self._attachment.check_site(site)
        index = len(self._places)
        self._places.append(Place(self, index, device, ip, site))
        return index

    def device(self, index: int) -> Device:
        """Return a device."""
        return self._places[index].device

    def place(self, index: int) -> Place:
        """Return a device with its surroundings."""
        return self._places[index]

    def now_ms(self) -> int:
        """Return the time."""
        return self.agenda.now_ms

    def tell(self, index: int, event: Event) -> None:
        """Let something happen to a device: power, button."""
        place = self._places[index]
        if isinstance(event, _SWITCHES):
            place.switched_on = isinstance(event, ev.PowerApplied)
            if place.switched_on and lies(PowerCut, place.faults):
                return  # there is no voltage yet
        place.tell(event)

    def plug(self, index: int, *, connected: bool) -> None:
        """Put the Ethernet cable in or pull it."""
        self._attachment.plug(self._places[index], connected=connected)

    def move(self, index: int, site: str) -> None:
        """Carry a device to another site: the network of the old one is lost."""
        self._attachment.move(self._places[index], site)

    def strike(self, index: int, fault: Fault) -> None:
        """Let a fault begin on a device's link or supply; it ends by itself."""
        self._mischief.begin(self._places[index], fault)

    def severed(self, index: int) -> bool:
        """Say whether its session with the broker is gone, and it does not know.

        It has died without a word, or the last one is still on its way, or the firmware takes the
        end of a stream for silence.
        """
        stream = self._places[index].stream
        return stream is not None and stream.severed

    def traffic(self, index: int) -> tuple[int, int]:
        """Return how many calls over HTTP, and how many connections to its broker it has begun."""
        place = self._places[index]
        return place.calls, place.connects

    def show(self, index: int, payload: bytes | None) -> None:
        """Hold a phone with this QR code in front of a lens, or take it away (None)."""
        self._eyes.show(index, payload)

    # --- events in, effects out -----------------------------------------------------------------

    def work_off(self, place: Place, event: Event) -> None:
        """Tell a device what happened and carry out what it wants.

        Whatever happens from within is worked off afterwards.
        """
        if self._busy:
            self._inbox.append((place, event))
            return
        self._busy = True
        self._handle(place, event)
        if self._inbox:
            for one, happened in self._inbox:  # grows while it is worked off
                self._handle(one, happened)
            self._inbox.clear()
        self._busy = False

    def _handle(self, place: Place, event: Event) -> None:
        if type(event) in _OF_THE_WORLD:
            self._let_be(place, event)
        now_ms = self.agenda.now_ms
        if self._trace is not None:
            self._trace.event(now_ms, place.index, event)
        device = place.device
        drivers = self._driver_of
        if place.skew_ms:
            now_ms += place.skew_ms
        for effect in device.handle(event, now_ms):
            drivers[type(effect)](place, effect)
        due_ms = device.next_deadline_ms()
        if due_ms is not None and (place.woken_ms is None or due_ms < place.woken_ms):
            place.woken_ms = due_ms
            self.agenda.at(due_ms - place.skew_ms, self._ring_at, place, due_ms)
        for look in self.stepped:
            look(place)

    def _let_be(self, place: Place, event: Event) -> None:
        """Let the world around a device be as an event says, before the device hears of it."""
        if isinstance(event, ev.PowerApplied):
            place.powered = True
            self._attachment.link_later(place)
            return
        place.drop_network()
        if isinstance(event, ev.PowerRemoved):
            place.powered = False
            self._eyes.close_lens(place.index)

    def _ring(self, place: Place, woken_ms: int) -> None:
        """Wake a device that wanted to be woken now; one that has put it off is looked at later."""
        if place.woken_ms != woken_ms:
            return  # it wanted to be woken earlier, and was
        place.woken_ms = None
        due_ms = place.device.next_deadline_ms()
        if due_ms is None:
            return
        if due_ms <= woken_ms:
            self.work_off(place, _DEADLINE)
        else:
            place.woken_ms = due_ms
            self.agenda.at(due_ms - place.skew_ms, self._ring_at, place, due_ms)

    def _observe(self, place: Place, effect: StateShown | Noted) -> None:
        self._observer(place.index, effect, self.agenda.now_ms)

    def _save(self, place: Place, effect: fx.SaveFlash) -> None:
        """Tell who wants to know: the flash is the device's own, and only the rest is forgotten."""
        for look in self.saved:
            look(place, effect.image)

    def _call(self, place: Place, effect: fx.SendHttp) -> None:
        if place.call is not None:
            place.call.abandon()
        place.calls += 1
        place.call = Call(self.wan, place, effect)

    def _open_mqtt(self, place: Place, effect: fx.OpenMqtt) -> None:
        place.connects += 1
        place.stream = Stream(self.wan, place, effect)

    def _write_mqtt(self, place: Place, effect: fx.SendMqtt) -> None:
        if place.stream is not None:
            place.stream.write(effect.data)

    def _close_mqtt(self, place: Place, _: fx.CloseMqtt) -> None:
        if place.stream is not None:
            place.stream.leave()
            place.stream = None

    def _broadcast(self, place: Place, effect: fx.Broadcast) -> None:
        self.lan.broadcast(place, effect.port, effect.data)

    def _send_datagram(self, place: Place, effect: fx.SendDatagram) -> None:
        self.lan.broadcast(place, effect.port, effect.data)

    def _open_lan(self, place: Place, effect: fx.OpenLan) -> None:
        place.lan = self.lan.open(place, effect.port)

    def _close_lan(self, place: Place, _: fx.CloseLan) -> None:
        if place.lan is not None:
            place.lan.close()
            place.lan = None

    def _send_lan(self, place: Place, effect: fx.LanSend) -> None:
        if place.lan is not None:
            place.lan.send(effect.conn, effect.data)

    def _drop_lan(self, place: Place, effect: fx.LanClose) -> None:
        if place.lan is not None:
            place.lan.drop(effect.conn)

    def _open_lens(self, place: Place, _: fx.OpenLens) -> None:
        self._eyes.open_lens(place)

    def _close_lens(self, place: Place, _: fx.CloseLens) -> None:
        self._eyes.close_lens(place.index)

    def _sound(self, place: Place, effect: fx.SoundTone) -> None:
        self._observer(place.index, _tone(effect.tone), self.agenda.now_ms)

    def _drivers(self) -> dict[type[Effect], Callable[[Place, Any], None]]:
        return {
            fx.SaveFlash: self._save,
            fx.JoinWifi: self._attachment.join,
            fx.LeaveWifi: self._attachment.leave,
            fx.SendHttp: self._call,
            fx.OpenMqtt: self._open_mqtt,
            fx.SendMqtt: self._write_mqtt,
            fx.CloseMqtt: self._close_mqtt,
            fx.Broadcast: self._broadcast,
            fx.SendDatagram: self._send_datagram,
            fx.OpenLan: self._open_lan,
            fx.CloseLan: self._close_lan,
            fx.LanSend: self._send_lan,
            fx.LanClose: self._drop_lan,
            fx.OpenLens: self._open_lens,
            fx.CloseLens: self._close_lens,
            fx.SoundTone: self._sound,
            fx.StateShown: self._observe,
            fx.Noted: self._observe,
        }


@cache
def _tone(number: int) -> Noted:
    """Return what is told of a tone: devices know a handful."""
    return Noted("tone", str(number))


_SWITCHES = (ev.PowerApplied, ev.PowerRemoved)
_OF_THE_WORLD = frozenset({ev.PowerApplied, ev.PowerRemoved, ev.LinkDown})
_DEADLINE = ev.DeadlineReached()
