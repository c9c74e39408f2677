"""The live world: one event loop, many devices, real sockets.

It carries out the effects of devices and tells them what happens; it knows no protocol and takes
no decision for a device. What stands in for things that a host does not have is small and named:
Wi-Fi (`AccessPoint`), the cable (`plug`), the hand that shows a code to a lens (`show`), and what
goes wrong between a device and its cloud (`strike`). Switching a device off aborts its connections
at once.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.device import Device
from firmware_sim.effects import Effect, Noted, StateShown
from firmware_sim.errors import UsageError
from firmware_sim.events import Event
from firmware_sim.rng import Rng
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.attachment import Attachment
from firmware_sim.runtime.faults import Fault, PowerCut, copies_ms, lies
from firmware_sim.runtime.live.alarms import Alarms, Clock
from firmware_sim.runtime.live.datagrams import Datagrams
from firmware_sim.runtime.live.dialer import Dialer
from firmware_sim.runtime.live.eyes import Eyes
from firmware_sim.runtime.live.http_call import HttpCall
from firmware_sim.runtime.live.impaired import Impaired
from firmware_sim.runtime.live.journal import FlashJournal
from firmware_sim.runtime.live.lan_port import LanPort
from firmware_sim.runtime.live.mqtt_stream import MqttStream
from firmware_sim.runtime.live.place import Place
from firmware_sim.runtime.live.ways import Ways
from firmware_sim.runtime.mischief import Mischief
from firmware_sim.wire.discovery import PORT_SOLICITED

Observer = Callable[[int, StateShown | Noted, int], None]
HOST_SHORT = "host_short"  # a note that is not the device's own


class LiveWorld:
    """Runs devices in the current event loop.

    `failure` is why it cannot go on, None while it can: flash that cannot be kept, a LAN port that
    is taken, decoders that do not start, or a mistake of our own. A world that failed tells nobody
    anything any more; whoever runs it looks from time to time.
    """

    def __init__(
        self,
        *,
        sites: Mapping[str, AccessPoint],
        observer: Observer,
        eyes: Eyes | None = None,
        journal: FlashJournal | None = None,
        broadcast_ip: str = "127.255.255.255",
        seed: int = 0,
    ) -> None:
        """Start empty. Without `eyes` no lens sees anything; without `journal` flash is memory.

        `observer(index, what, now_ms)` is called between an event and the next. What faults lose
        follows from `seed`. Raises UsageError when the LAN of `broadcast_ip` cannot be listened to.
        """
        self._loop = asyncio.get_running_loop()
        self._clock = Clock(self._loop)
        self._alarms = Alarms(self._loop, self._clock, self._ring)
        self._attachment = Attachment(sites)
        self._observer = observer
        self._eyes = eyes
        self._journal = journal
        self.datagrams = Datagrams(broadcast_ip, self._solicit)
        self._places: list[Place] = []
        self._inbox: deque[tuple[Place, Event]] = deque()
        self._rng = Rng(seed)
        self._dialer = Dialer(self._fail, self._rng)
        self._ways = Ways(self._dialer.impairments, self._rng)
        self._mischief = Mischief(self._attachment, self._ways)
        self._driver_of = self._drivers()
        self._failure: BaseException | None = None
        self._closed = False

    @property
    def failure(self) -> BaseException | None:
        """Return why the world cannot go on."""
        return self._failure or (self._eyes.failure if self._eyes is not None else None)

    # --- the operator's hand --------------------------------------------------------------------

    def add(self, device: Device, *, ip: str, site: str) -> int:
        """Take in a device without power; return its index.

        `ip` must be its own on this host. Raises UsageError for an unknown site.
        """
        self._attachment.check_site(site)
        index = len(self._places)
        self._places.append(Place(self, index, device, ip, site))
        return index

    def device(self, index: int) -> Device:
        """Return a device."""
        return self._places[index].device

    def now_ms(self) -> int:
        """Return the world's time, the one that devices and observers are told."""
        return self._clock.now_ms()

    def advance(self, duration_ms: int) -> None:
        """Set the clocks of all devices ahead; what they wait for takes as long as before."""
        self._clock.advance(duration_ms)
        for place in self._places:
            place.tell(ev.ClockSet(duration_ms))

    def tell(self, index: int, event: Event) -> None:
        """Let something happen to a device: power, button."""
        place = self._places[index]
        if isinstance(event, ev.PowerApplied | ev.PowerRemoved):
            place.switched_on = isinstance(event, ev.PowerApplied)
            if place.switched_on and lies(PowerCut, place.faults):
                return  # there is no voltage yet
        place.tell(event)

    def bring(self, index: int, *, in_reach: bool) -> None:
        """Bring a device without cable out of the reach of its access point, or back."""
        self._attachment.bring(self._places[index], in_reach=in_reach)

    def plug(self, index: int, *, connected: bool) -> None:
        """Put the Ethernet cable in or pull it."""
        self._attachment.plug(self._places[index], connected=connected)

    def switch_air(self, site: str, *, on: bool) -> None:
        """Switch the access point of a site on or off. Raises UsageError for an unknown site."""
        self._attachment.switch_air(site, self._places, on=on)

    def give_eyes(self, eyes: Eyes) -> None:
        """Let the lenses of a world that was made without eyes see from now on."""
        self._eyes = eyes

    def move(self, index: int, site: str) -> None:
        """Carry a device to another site: the network of the old one is lost.

        Raises UsageError for an unknown site.
        """
        self._attachment.move(self._places[index], site)

    def strike(self, index: int, fault: Fault) -> None:
        """Let a fault begin on a device's link or supply; it ends by itself."""
        if not self._closed:
            self._mischief.begin(self._places[index], fault)

    def severed(self, index: int) -> bool:
        """Say whether its session with the broker is gone, and it does not know.

        It has died without a word, or the firmware takes the end of a stream for silence.
        """
        stream = self._places[index].stream
        if stream is None:
            return False
        return not stream.wanted or (isinstance(stream.line, Impaired) and stream.line.dead)

    def traffic(self, index: int) -> tuple[int, int]:
        """Return how many calls over HTTP, and how many connections to its broker it has begun."""
        place = self._places[index]
        return place.calls, place.connects

    def show(self, index: int, payload: bytes | None) -> None:
        """Hold a phone with this QR code in front of a lens, or take it away (None)."""
        if self._eyes is not None:
            self._eyes.show(index, payload)

    async def close(self) -> None:
        """Cut the power of everything and close all sockets."""
        self._closed = True
        self._alarms.close()
        self._mischief.close()
        for place in self._places:
            self._drop_everything(place)
        self._ways.close()
        await self._dialer.close()
        self.datagrams.close()
        if self._journal is not None:
            self._journal.close()

    # --- events in, effects out -----------------------------------------------------------------

    def _drop_everything(self, place: Place) -> None:
        place.drop_network()
        if self._eyes is not None:
            self._eyes.close_lens(place.index)

    def _ring(self, index: int) -> None:
        self._places[index].tell(ev.DeadlineReached())

    def work_off(self, place: Place, event: Event) -> None:
        """Tell a device what happened and carry out what it wants.

        An observer may let something happen from within; that is worked off afterwards.
        """
        if self._closed or self._failure is not None:
            return
        self._inbox.append((place, event))
        if len(self._inbox) > 1:
            return
        try:
            while self._inbox:
                self._handle(*self._inbox[0])
                self._inbox.popleft()
        except BaseException as error:
            self._failure = error
            raise

    def _handle(self, place: Place, event: Event) -> None:
        kind = type(event)
        if kind is ev.PowerApplied:
            place.powered = True
            self._attachment.link_later(place)
        elif kind is ev.PowerRemoved:
            place.powered = False
            self._drop_everything(place)
        elif kind is ev.LinkDown:
            place.drop_network()
        for effect in place.device.handle(event, self._clock.now_ms() + place.skew_ms):
            if self._failure is not None:
                return
            self._driver_of[type(effect)](place, effect)
        due_ms = place.device.next_deadline_ms()
        self._alarms.want(place.index, None if due_ms is None else due_ms - place.skew_ms)

    def report(self, place: Place, text: str) -> None:
        """Note something that no device knows: this host is short of files or memory."""
        self._observe(place, Noted(HOST_SHORT, text))

    def _observe(self, place: Place, effect: StateShown | Noted) -> None:
        self._observer(place.index, effect, self._clock.now_ms())

    def _save(self, place: Place, effect: fx.SaveFlash) -> None:
        if self._journal is None:
            return
        try:
            self._journal.save(place.index, effect.image)
        except UsageError as error:
            self._failure = error

    def _call(self, place: Place, effect: fx.SendHttp) -> None:
        def done(status: int, body: bytes, reason: str) -> None:
            place.call = None
            if reason:
                place.tell(ev.HttpFailed(effect.call, reason))
            else:
                place.tell(ev.HttpReplied(effect.call, status, body))

        if place.call is not None:
            place.call.abandon()
        place.call = HttpCall(effect, done, self._loop)
        place.calls += 1
        self._dialer.dial(place, place.call, effect.host, effect.port, effect.anchor)

    def _open_mqtt(self, place: Place, effect: fx.OpenMqtt) -> None:
        place.stream = MqttStream(place.tell)
        place.connects += 1
        self._dialer.dial(place, place.stream, effect.host, effect.port, effect.anchor)

    def _write_mqtt(self, place: Place, effect: fx.SendMqtt) -> None:
        if place.stream is not None:
            place.stream.write(effect.data)

    def _close_mqtt(self, place: Place, _: fx.CloseMqtt) -> None:
        if place.stream is not None:
            place.stream.leave()
            place.stream = None

    def _solicit(self, data: bytes) -> int:
        """Tell every device whose LAN is open what was said to all of them."""
        event = ev.DatagramReceived(PORT_SOLICITED, data)
        listening = [place for place in self._places if place.lan is not None]
        for place in listening:
            self._throw(place, self._solicited, place, event)
        return len(listening)

    def _solicited(self, place: Place, event: Event) -> None:
        if place.lan is not None:
            self.work_off(place, event)

    def _broadcast(self, place: Place, effect: fx.Broadcast) -> None:
        self._throw(place, self.datagrams.broadcast, place.source, effect.port, effect.data)

    def _send_datagram(self, place: Place, effect: fx.SendDatagram) -> None:
        self._throw(place, self.datagrams.send, place.source, effect.ip, effect.port, effect.data)

    def _throw(self, place: Place, arrive: Callable[..., None], *args: Any) -> None:
        """Let a datagram from or for a device arrive once and now, or as faults want it."""
        for delay_ms in copies_ms(place.faults, self._rng) if place.faults else (0,):
            if delay_ms:
                self._loop.call_later(delay_ms / 1000, arrive, *args)
            else:
                arrive(*args)

    def _open_lan(self, place: Place, effect: fx.OpenLan) -> None:
        try:
            place.lan = LanPort(place.ip, effect.port, place.tell, place.report)
        except UsageError as error:
            self._failure = error
        else:
            self._ways.treat_lan(place)

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
        if self._eyes is not None:
            self._eyes.open_lens(place.index, place.see)

    def _close_lens(self, place: Place, _: fx.CloseLens) -> None:
        if self._eyes is not None:
            self._eyes.close_lens(place.index)

    def _sound(self, place: Place, effect: fx.SoundTone) -> None:
        self._observe(place, Noted("tone", str(effect.tone)))

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

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
