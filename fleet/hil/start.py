"""Where a test at a bench begins: hands off, or with the device in one of the states of its life.

At a bench that outlives its tests the device is as the test before has left it. What it is now is
read off its light, and the rest is done as people do it: with power, button, codes and the LAN.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Literal, get_args

from firmware_sim.bench.capabilities import Bench, DeviceUnderTest, Missing, Reading
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
READ_S: Final = 3.0
"""How long a code is held to a lens: longer than reading it takes, and taken away before it would be
read for a second time."""

_KINDS: Final = {
    "booting": "",
    "unbound": "unbound",
    "waiting": "waiting",
    "online": "owned",
    "reconnecting": "owned",
}
"""What a device is that shows one of these lights after its power has come on; booting says nothing."""

_PIECE_S: Final = 0.2
_STILL_S: Final = 2.0  # longer than any light of a model keeps still while it blinks
_BOOT_S: Final = 6.0  # longer than a device boots, where booting looks the same
_REPEATS: Final = 1.6
_SPAN_MIN_S: Final = 1.0
_GLANCE_S: Final = 0.6  # enough for a colour
_SPAN_MAX_S: Final = 10.0
_SURE: Final = 0.75


def rest(bench: Bench) -> None:
    """Cut the power, take finger and code away, put the cable in; let be what is not there."""
    with suppress(Missing):
        bench.button.release()
    bench.power.off()
    with suppress(Missing):
        bench.camera.hide()
    with suppress(Missing):
        bench.link.up()


def bring(bench: Bench, device: DeviceUnderTest, start: str) -> None:
    """Bring a device to where a test is to begin; UsageError for an unknown start, and NotSeen.

    A device that waits does not show whether it is still somebody's: to begin at `returned` it is
    taken to be.
    """
    if start not in get_args(Start):
        raise UsageError(f"no start {start!r}; there are {', '.join(get_args(Start))}")
    rest(bench)
    if start == "off":
        return
    bench.power.on()
    now, sure = _what_it_is(bench, device)
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


def _what_it_is(bench: Bench, device: DeviceUnderTest) -> tuple[str, bool]:
    """Return what a device is that was switched on, and whether its light leaves no doubt."""
    states = [state for state, kind in _KINDS.items() if kind]
    seen = _first(bench, device, states, PATIENCE_S, lambda end: _owner_of_colours(end, device))
    alike = {_KINDS[state] for state in states if device.light(state) == device.light(seen)}
    return _KINDS[seen], len(alike) == 1


def _owner_of_colours(trace: LedTrace, device: DeviceUnderTest) -> str:
    """Return a state of the one kind that shows a colour, whatever its rhythm, or an empty text."""
    colours = read(trace.last(_GLANCE_S)).colours
    if len(colours) != 1:
        return ""
    having = [state for state in _KINDS if colours[0] in device.light(state).colours]
    kinds = {_KINDS[state] for state in having}
    return having[0] if len(kinds) == 1 and kinds != {""} else ""


def _reset(bench: Bench, device: DeviceUnderTest) -> str:
    bench.button.press_for(device.hold_s)
    return shown_first(bench, device, "waiting")


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
        if reading.confidence >= _SURE and matches(reading, wish):
            return state
    return ""


def _span_s(device: DeviceUnderTest, state: str) -> float:
    """Return how long the light of a state has to be watched to be told from others."""
    light = device.light(state)
    if light.hz:
        return max(_REPEATS / light.hz, _SPAN_MIN_S)
    return _BOOT_S if light == device.light("booting") else _STILL_S
