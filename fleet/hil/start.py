"""Where a test at a bench begins: hands off, or with the device in one of the states of its life.

At a bench that outlives its tests the device is as the test before has left it. What it is now is
read off its light, and the rest is done as people do it: with power, button, codes and the LAN.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Literal, get_args

from firmware_sim.bench.capabilities import Bench, DeviceUnderTest, Light, Missing, Reading
from firmware_sim.bench.reader.classify import read
from firmware_sim.bench.reader.waiting import (
    LightNotSeen,
    best_reading,
    in_words,
    matches,
    wanted,
)
from firmware_sim.bench.trace import EMPTY, LedTrace
from firmware_sim.errors import UsageError

Start = Literal["off", "owned", "returned", "unbound"]
"""Without power; somebody's, with its firmware up; reset by its button, but still somebody's, and
waiting for a code; nobody's any more, and waiting."""

PATIENCE_S: Final = 40.0
GLANCE_S: Final = 12.0
"""How long it is looked whether a device that has power shows a light that lasts."""

READ_S: Final = 3.0
"""How long a code is held to a lens: longer than reading it takes, and taken away before it would be
read for a second time."""

_KINDS: Final = {
    "booting": "",
    "resetting": "",
    "unbound": "unbound",
    "waiting": "waiting",
    "online": "owned",
    "reconnecting": "owned",
}
"""What a device is that shows one of these lights after its power has come on, or after a reset; the
first two say nothing. There are no others then: it has been given no code yet."""

Hint = Callable[[LedTrace, DeviceUnderTest], str]

_PIECE_S: Final = 0.2
_STILL_S: Final = 2.0  # longer than any light of a model keeps still while it blinks
_BOOT_S: Final = 6.0  # longer than a device boots, where booting looks the same
_REPEATS, _SURE = 1.6, 0.75  # how long a rhythm is watched, in periods, and how sure it is then
_SLOW_HZ, _SLOW_REPEATS, _SLOW_SURE = 0.6, 1.05, 0.34
# Of lights that are known, one that blinks so slowly is told by one period of it: both of its phases
# have been seen, and no other light of a model has such.
_SPAN_MIN_S: Final = 1.0
_COLOUR_S: Final = 0.6  # enough for a colour
_SPAN_MAX_S: Final = 10.0


def let_go(bench: Bench) -> None:
    """Take finger and code away, put the cable in; let be what is not there."""
    with suppress(Missing):
        bench.button.release()
    with suppress(Missing):
        bench.camera.hide()
    with suppress(Missing):
        bench.link.up()


def rest(bench: Bench) -> None:
    """Cut the power, and let go of everything."""
    bench.power.off()
    let_go(bench)


def bring(bench: Bench, device: DeviceUnderTest, start: str) -> None:
    """Bring a device to where a test is to begin; UsageError for an unknown start, and NotSeen.

    A device that waits does not show whether it is still somebody's: to begin at `returned` it is
    taken to be.
    """
    if start not in get_args(Start):
        raise UsageError(f"no start {start!r}; there are {', '.join(get_args(Start))}")
    if start == "off":
        rest(bench)
        return
    let_go(bench)
    now, sure = _found(bench, device)
    if not sure:
        now = _reset(bench, device)
    if now == "waiting" and not (sure and start == "returned"):
        now = _released(bench, device)
    if now == "unbound" and start != "unbound":
        now = _bound(bench, device)
    if now == "owned" and start != "owned":
        now = _reset(bench, device)
        if start == "unbound":
            _released(bench, device)


def _found(bench: Bench, device: DeviceUnderTest) -> tuple[str, bool]:
    """Return what a device is, and whether that leaves no doubt.

    One that has power is looked at as it is; where it shows nothing that lasts it is started anew.
    """
    if bench.power.get():
        with suppress(LightNotSeen):
            return _what_it_is(bench, device, GLANCE_S, _nothing)
    bench.power.off()
    bench.power.on()
    return _what_it_is(bench, device, PATIENCE_S, _by_colour)


def hand_over(
    bench: Bench, device: DeviceUnderTest, purpose: Literal["unbind", "pair"] = "unbind"
) -> None:
    """Give a device that waits a token, by a code or over the LAN, as it can take it."""
    phone, pair = bench.phone, purpose == "pair"
    if device.wired:
        (phone.pair_by_wire if pair else phone.unbind_by_wire)()
        return
    bench.camera.show((phone.pairing_code() if pair else phone.unbinding_code()).text)
    bench.clock.sleep(READ_S)
    bench.camera.hide()


def _what_it_is(
    bench: Bench, device: DeviceUnderTest, timeout_s: float, hint: Hint
) -> tuple[str, bool]:
    """Return what a device is that has power, and whether its light leaves no doubt. NotSeen."""
    states = [state for state, kind in _KINDS.items() if kind]
    seen = _first(bench, device, states, timeout_s, lambda end: hint(end, device))
    alike = {_KINDS[state] for state in states if device.light(state) == device.light(seen)}
    return _KINDS[seen], len(alike) == 1


def _nothing(_: LedTrace, __: DeviceUnderTest) -> str:
    return ""


def _by_colour(trace: LedTrace, device: DeviceUnderTest) -> str:
    """Return a state of the one kind that shows a colour, whatever its rhythm, or an empty text."""
    colours = read(trace.last(_COLOUR_S)).colours
    if len(colours) != 1:
        return ""
    having = [state for state in _KINDS if colours[0] in device.light(state).colours]
    kinds = {_KINDS[state] for state in having}
    return having[0] if len(kinds) == 1 and kinds != {""} else ""


def _reset(bench: Bench, device: DeviceUnderTest) -> str:
    bench.button.press_for(device.hold_s)
    return _first(bench, device, ("waiting",), PATIENCE_S, lambda end: _waits(end, device))


def _waits(trace: LedTrace, device: DeviceUnderTest) -> str:
    """Return `waiting` where nothing else can look so after a reset, before its rhythm is known.

    Dark in between is what a light that does not blink never is.
    """
    seen = read(trace.last(_COLOUR_S))
    able = [state for state in _KINDS if _can_look(device.light(state), seen)]
    return "waiting" if able == ["waiting"] else ""


def _can_look(light: Light, seen: Reading) -> bool:
    if seen.mode == "solid":  # for a moment; it may be one phase of it
        return seen.colours[0] in light.colours
    return light.mode == seen.mode and set(light.colours) == set(seen.colours)


def _released(bench: Bench, device: DeviceUnderTest) -> str:
    """Have after-sales release a device that waits; they are refused if it is nobody's already."""
    hand_over(bench, device)
    if shown_first(bench, device, "unbound", "activation_failed") == "activation_failed":
        shown_first(bench, device, "waiting")
    return "unbound"


def _bound(bench: Bench, device: DeviceUnderTest) -> str:
    """Have the next owner take a device that is nobody's."""
    if device.wired:
        bench.phone.pair_by_wire()
    else:
        bench.camera.show(bench.phone.pairing_code().text)
    shown_first(bench, device, "online")
    if not device.wired:
        bench.camera.hide()
    return "owned"


def shown_first(
    bench: Bench, device: DeviceUnderTest, *states: str, timeout_s: float = PATIENCE_S
) -> str:
    """Return which of some states the light shows first. Raises NotSeen if it shows none.

    A light counts when two looks in a row agree: what lies between two states may look like a third.
    """
    return _first(bench, device, states, timeout_s, lambda _: "")


def _first(
    bench: Bench,
    device: DeviceUnderTest,
    states: Sequence[str],
    timeout_s: float,
    hint: Callable[[LedTrace], str],
) -> str:
    """Return which state the light shows first, or what `hint` makes of its end."""
    spans_s = {state: _span_s(device, state) for state in states}
    sample = getattr(bench.led, "follow", lambda: bench.led.sample)()
    trace, before, end_s = EMPTY, "", bench.clock.now_s() + timeout_s
    while bench.clock.now_s() < end_s:
        trace = trace.then(sample(_PIECE_S)).last(_SPAN_MAX_S)
        now = _shown(trace, device, spans_s) or hint(trace)
        if now and now == before:
            return now
        before = now
    text, seen = f"none of {', '.join(states)} within {timeout_s:g} s", best_reading(trace)
    raise LightNotSeen(f"the light shows {text}: it was {in_words(seen)}", trace, seen)


def _shown(trace: LedTrace, device: DeviceUnderTest, spans_s: Mapping[str, float]) -> str:
    """Return which state the end of a trace shows, or an empty text."""
    readings: dict[float, Reading] = {}
    for state, span_s in spans_s.items():
        end = trace.last(span_s)
        if end.span_s < span_s - _PIECE_S / 2:
            continue
        if span_s not in readings:
            readings[span_s] = read(end)
        light, reading = device.light(state), readings[span_s]
        wish = wanted("+".join(light.colours), light.mode, light.hz or None, light.duty)
        sure = _SLOW_SURE if 0 < light.hz < _SLOW_HZ else _SURE
        if reading.confidence >= sure and matches(reading, wish):
            return state
    return ""


def _span_s(device: DeviceUnderTest, state: str) -> float:
    """Return how long the light of a state has to be watched to be told from others."""
    light = device.light(state)
    if light.hz:
        repeats = _SLOW_REPEATS if light.hz < _SLOW_HZ else _REPEATS
        return max(repeats / light.hz, _SPAN_MIN_S)
    return _BOOT_S if light == device.light("booting") else _STILL_S
