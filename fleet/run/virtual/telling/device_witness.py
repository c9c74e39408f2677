"""Sees one device of a virtual run: what came, which rows took it, what it wants done."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.device import ROUTES, Device
from firmware_sim.device.lifecycle import LIFECYCLE
from firmware_sim.device.watched import Fired, WatchedDevice
from firmware_sim.effects import Effect
from firmware_sim.errors import PeerError
from firmware_sim.events import Event
from firmware_sim.wire import mqtt
from firmware_sim.wire.ciphers import aes_key
from fleet.run.virtual.telling import wire_words
from fleet.run.virtual.telling.device_words import (
    ASIDE,
    DONE_ASIDE,
    EFFECTS,
    EVENTS,
    SIGNALS,
    TURNS,
)
from fleet.run.virtual.telling.line import Line, Lines, place_of

Tell = Callable[[Lines], None]

_TOLD = (ev.MqttReceived, ev.HttpReplied, ev.LanOpened, ev.LanReceived)
_ACKNOWLEDGEMENTS = ("<- MQTT SUBACK", "<- MQTT UNSUBACK", "<- MQTT PINGRESP")


class DeviceWitness:
    """A `Watcher` that tells what it sees, step by step."""

    def __init__(self, name: str, tell: Tell) -> None:
        """Tell of a device called `name`."""
        self._name = name
        self._tell = tell
        self._light = ""
        self._decoder = mqtt.Decoder()
        self._keys: tuple[bytes, ...] = ()
        self._heard = ""
        self._done_before: set[tuple[str, ...]] = set()
        self._asked: tuple[int, str] = (0, "")  # its last call over HTTP: number and name

    def make(self, *device: Any) -> Device:
        """Make the device, with the arguments of `Device`."""
        return WatchedDevice(*device, watcher=self)

    def before(self, device: WatchedDevice, event: Event) -> None:
        """See what comes, while the device still has the keys for it."""
        self._keys = _keys(device)
        if isinstance(event, ev.MqttOpened):
            self._decoder = mqtt.Decoder()
        self._heard = self._read(event)

    def after(
        self, device: WatchedDevice, event: Event, fired: list[Fired], effects: list[Effect]
    ) -> None:
        """Tell what became of it."""
        self._keys += _keys(device)
        aside = self._is_aside(event, fired, effects)
        lines = [*self._taken(device, event, fired, aside=aside)]
        turns = [TURNS[type(one.signal)] for one in fired if one.row and type(one.signal) in TURNS]
        if turns:
            lines[0] = msgspec.structs.replace(lines[0], turn=turns[0])
        lines += self._done(device, effects, aside=aside)
        if self._is_repeated(fired, lines):
            lines = [msgspec.structs.replace(line, aside=True) for line in lines]
        self._tell(tuple(lines))

    def _read(self, event: Event) -> str:
        if isinstance(event, ev.HttpReplied) and event.call == self._asked[0]:
            return f"{EVENTS[ev.HttpReplied](event)}: the answer to {self._asked[1]}"
        if not isinstance(event, ev.MqttReceived):
            return EVENTS[type(event)](event)
        try:
            told = wire_words.said(self._decoder.feed(event.data), self._keys)
        except PeerError:
            told = "what is not MQTT"
        return f"<- MQTT {told or 'part of a packet'}, {len(event.data)} B"

    def _is_aside(self, event: Event, fired: list[Fired], effects: list[Effect]) -> bool:
        """Say whether nothing in a step is worth a newcomer's time."""
        if type(event) in ASIDE:
            return True
        if not (fired or effects):
            return not isinstance(event, _TOLD) or self._heard.startswith(_ACKNOWLEDGEMENTS)
        return bool(fired) and all(type(one.signal) in ASIDE or one.row is None for one in fired)

    def _is_repeated(self, fired: list[Fired], lines: list[Line]) -> bool:
        """Say whether it has done just this before, since it entered this state of its life."""
        if any(one.machine is LIFECYCLE and one.row and one.row.target for one in fired):
            self._done_before.clear()
        texts = tuple(line.text for line in lines)
        if texts in self._done_before:
            return True
        self._done_before.add(texts)
        return False

    def _taken(
        self, device: WatchedDevice, event: Event, fired: list[Fired], *, aside: bool
    ) -> Iterator[Line]:
        direct = any(one.signal is event for one in fired)
        if not direct and not (isinstance(event, ev.DeadlineReached) and fired):
            place = place_of(ROUTES[type(event)])
            yield Line(self._name, self._heard, place, aside=aside)
        for one in fired:
            words = self._heard
            if one.signal is not event:
                words = SIGNALS[type(one.signal)](one.signal, device.profile)
            text = f"{words} {_transition(one)}"
            yield Line(self._name, text, one.place, aside=aside or one.row is None)

    def _done(self, device: WatchedDevice, effects: list[Effect], *, aside: bool) -> Iterator[Line]:
        profile = device.profile
        for effect in effects:
            if isinstance(effect, fx.StateShown):
                if effect.light == self._light:
                    continue
                self._light = effect.light
                pattern = profile.indicator[effect.light]
                yield Line(self._name, EFFECTS[fx.StateShown](effect, profile), pattern=pattern)
            elif isinstance(effect, fx.SendMqtt):
                said = wire_words.packets(effect.data, self._keys)
                yield Line(self._name, f"-> MQTT {said}", aside=aside)
            else:
                if isinstance(effect, fx.SendHttp):
                    self._asked = (effect.call, wire_words.call(effect.target))
                by_the_way = aside or type(effect) in DONE_ASIDE
                yield Line(self._name, EFFECTS[type(effect)](effect, profile), aside=by_the_way)


def _keys(device: WatchedDevice) -> tuple[bytes, ...]:
    """Return the keys that messages may be sealed with: of a binding, and from the factory."""
    own = aes_key(device.identity.auth_key)
    return (device.local_key, own) if device.flash.activated else (own,)


def _transition(one: Fired) -> str:
    name = one.machine.attribute
    if one.row is None:
        return f"[{name} {one.state} ignores it]"
    if one.row.target is None:
        return f"[{name} {one.state}]"
    return f"[{name} {one.state} -> {one.row.target.name}]"
