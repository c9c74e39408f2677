"""The live world: one event loop, many devices, real sockets.

It carries out the effects of devices and tells them what happens; it knows no protocol and takes
no decision for a device. What stands in for things that a host does not have is small and named:
Wi-Fi (`AccessPoint`), the cable (`plug`), and the hand that shows a code to a lens (`show`).
Cutting the power aborts the device's connections at once.
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
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live.alarms import Alarms, Clock
from firmware_sim.runtime.live.datagrams import Datagrams, source
from firmware_sim.runtime.live.dialer import Dialer
from firmware_sim.runtime.live.eyes import Eyes
from firmware_sim.runtime.live.http_call import HttpCall
from firmware_sim.runtime.live.journal import FlashJournal
from firmware_sim.runtime.live.lan_port import LanPort
from firmware_sim.runtime.live.mqtt_stream import MqttStream
from firmware_sim.wire.discovery import PORT_SOLICITED

Observer = Callable[[int, StateShown | Noted, int], None]
LINK_MS = 300  # Ethernet auto-negotiation and DHCP together
HOST_SHORT = "host_short"  # a note that is not the device's own


class Place:
    """Everything that the world holds for one device."""

    __slots__ = (
        "_world",
        "call",
        "device",
        "index",
        "ip",
        "joining",
        "lan",
        "linked",
        "plugged",
        "powered",
        "site",
        "source",
        "stream",
    )

    def __init__(self, world: "LiveWorld", index: int, device: Device, ip: str, site: str) -> None:
        """Put a device without power at a site."""
        self._world = world
        self.index = index
        self.device = device
        self.ip = ip
        self.source = source(ip)
        self.site = site
        self.powered = False
        self.plugged = device.profile.wired
        self.linked = False
        self.joining: asyncio.TimerHandle | None = None
        self.call: HttpCall | None = None
        self.stream: MqttStream | None = None
        self.lan: LanPort | None = None

    def tell(self, event: Event) -> None:
        """Let something happen to the device."""
        self._world.work_off(self, event)

    def see(self, text: bytes) -> None:
        """Let the device's lens read a code."""
        self.tell(ev.FrameDecoded(text))

    def report(self, text: str) -> None:
        """Let the operator know that this host lacks something which the device needs."""
        self._world.report(self, text)


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
    ) -> None:
        """Start empty. Without `eyes` no lens sees anything; without `journal` flash is memory.

        `observer(index, what, now_ms)` is called between an event and the next. Raises UsageError
        when the LAN of `broadcast_ip` cannot be listened to.
        """
        self._loop = asyncio.get_running_loop()
        self._clock = Clock(self._loop)
        self._alarms = Alarms(self._loop, self._clock, self._ring)
        self._sites = dict(sites)
        self._observer = observer
        self._eyes = eyes
        self._journal = journal
        self.datagrams = Datagrams(broadcast_ip, self._solicit)
        self._places: list[Place] = []
        self._inbox: deque[tuple[Place, Event]] = deque()
        self._dialer = Dialer(self._fail)
        self._driver_of = self._drivers()
        self._failure: BaseException | None = None
        self._closed = False
        self.http_calls = 0
        self.mqtt_connects = 0

    @property
    def failure(self) -> BaseException | None:
        """Return why the world cannot go on."""
        return self._failure or (self._eyes.failure if self._eyes is not None else None)

    # --- the operator's hand --------------------------------------------------------------------

    def add(self, device: Device, *, ip: str, site: str) -> int:
        """Take in a device without power; return its index.

        `ip` must be its own on this host. Raises UsageError for an unknown site.
        """
        self._check_site(site)
        index = len(self._places)
        self._places.append(Place(self, index, device, ip, site))
        return index

    def device(self, index: int) -> Device:
        """Return a device."""
        return self._places[index].device

    def now_ms(self) -> int:
        """Return the world's time, the one that devices and observers are told."""
        return self._clock.now_ms()

    def tell(self, index: int, event: Event) -> None:
        """Let something happen to a device: power, button."""
        self._places[index].tell(event)

    def plug(self, index: int, *, connected: bool) -> None:
        """Put the Ethernet cable in or pull it."""
        place = self._places[index]
        if place.device.profile.wired and place.plugged != connected:
            place.plugged = connected
            if connected:
                self._link_later(place)
            else:
                place.tell(ev.LinkDown())

    def move(self, index: int, site: str) -> None:
        """Carry a device to another site: the network of the old one is lost.

        Raises UsageError for an unknown site.
        """
        self._check_site(site)
        place = self._places[index]
        place.site = site
        if place.linked:
            place.tell(ev.LinkDown())
            self._link_later(place)

    def _check_site(self, site: str) -> None:
        if site not in self._sites:
            raise UsageError(f"no site {site!r}; allowed: {', '.join(self._sites)}")

    def show(self, index: int, payload: bytes | None) -> None:
        """Hold a phone with this QR code in front of a lens, or take it away (None)."""
        if self._eyes is not None:
            self._eyes.show(index, payload)

    async def close(self) -> None:
        """Cut the power of everything and close all sockets."""
        self._closed = True
        self._alarms.close()
        for place in self._places:
            self._drop_everything(place)
        await self._dialer.close()
        self.datagrams.close()
        if self._journal is not None:
            self._journal.close()

    # --- network --------------------------------------------------------------------------------

    def _link_later(self, place: Place) -> None:
        """Let the cable's link come up, if there is one between two powered ends."""
        if place.powered and place.plugged and not place.linked:
            self._cancel_join(place)
            place.joining = self._loop.call_later(LINK_MS / 1000, self._link, place)

    def _link(self, place: Place) -> None:
        place.joining = None
        place.linked = True
        place.tell(ev.LinkUp(place.ip))

    def _cancel_join(self, place: Place) -> None:
        if place.joining is not None:
            place.joining.cancel()
            place.joining = None

    def _drop_network(self, place: Place) -> None:
        self._cancel_join(place)
        place.linked = False
        if place.call is not None:
            place.call.abandon()
            place.call = None
        if place.stream is not None:
            place.stream.abandon()
            place.stream = None
        if place.lan is not None:
            place.lan.close(hard=True)
            place.lan = None

    def _drop_everything(self, place: Place) -> None:
        self._drop_network(place)
        if self._eyes is not None:
            self._eyes.close_lens(place.index)

    # --- events in, effects out -----------------------------------------------------------------

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
            self._link_later(place)
        elif kind is ev.PowerRemoved:
            place.powered = False
            self._drop_everything(place)
        elif kind is ev.LinkDown:
            self._drop_network(place)
        for effect in place.device.handle(event, self._clock.now_ms()):
            if self._failure is not None:
                return
            self._driver_of[type(effect)](place, effect)
        self._alarms.want(place.index, place.device.next_deadline_ms())

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

    def _join(self, place: Place, effect: fx.JoinWifi) -> None:
        self._cancel_join(place)
        air = self._sites[place.site]
        place.joining = self._loop.call_later(air.join_ms / 1000, self._joined, place, effect)

    def _joined(self, place: Place, effect: fx.JoinWifi) -> None:
        place.joining = None
        refusal = self._sites[place.site].refusal(effect.ssid, effect.password)
        if refusal is None:
            place.linked = True
            place.tell(ev.WifiJoined(place.ip))
        else:
            place.tell(ev.WifiRefused(refusal))

    def _leave(self, place: Place, _: fx.LeaveWifi) -> None:
        self._cancel_join(place)
        place.linked = False

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
        self.http_calls += 1
        self._dialer.dial(place.ip, place.call, effect.host, effect.port)

    def _open_mqtt(self, place: Place, effect: fx.OpenMqtt) -> None:
        place.stream = MqttStream(place.tell)
        self.mqtt_connects += 1
        self._dialer.dial(place.ip, place.stream, effect.host, effect.port)

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
            self.work_off(place, event)
        return len(listening)

    def _broadcast(self, place: Place, effect: fx.Broadcast) -> None:
        self.datagrams.broadcast(place.source, effect.port, effect.data)

    def _send_datagram(self, place: Place, effect: fx.SendDatagram) -> None:
        self.datagrams.send(place.source, effect.ip, effect.port, effect.data)

    def _open_lan(self, place: Place, effect: fx.OpenLan) -> None:
        try:
            place.lan = LanPort(place.ip, effect.port, place.tell, place.report)
        except UsageError as error:
            self._failure = error

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
            fx.JoinWifi: self._join,
            fx.LeaveWifi: self._leave,
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
