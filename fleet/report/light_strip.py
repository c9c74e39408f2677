"""The lights of devices over time, drawn: one strip each, in the colours that the model has.

A strip is SVG in the page. A light that blinks or alternates is drawn as stripes, wide ones for a
slow pattern; they show that it moves and not when. What each piece is, is said in words as well.
"""

from collections.abc import Iterator
from itertools import pairwise

from fleet.report.details import DeviceLights, LightPattern, Lights
from fleet.report.markup import Child, Html, join, table, tag
from fleet.report.page import folded
from fleet.report.words import duration

WIDTH, HEIGHT = 1000, 20
SLOW_MS = 1000
STRIPE_SLOW, STRIPE_FAST = 12, 5
STRIPES_MAX = 120  # of one piece
LAST_PCT = 4  # of a strip, for a light that stays
WHY = {"failed": "had trouble", "slow": "among the slowest", "typical": "like most"}
SPREAD_MAX = 5  # times longer than a device's own story, and strips get an axis each


def strips(lights: Lights) -> Html:
    """Return a table of strips, and in words what they show."""
    whole = _span([device for device in lights.devices if device.changes])
    rows = [_row(device, lights, whole) for device in lights.devices if device.changes]
    common = f"All begin at {duration(whole[0])} and end at {duration(whole[1])}." if whole else ""
    each = "Each strip has its own axis, from the first to the last change."
    followed = "all devices were" if lights.every == 1 else f"every {lights.every}th device was"
    return join(
        [
            tag(
                "p",
                f"{len(rows)} of {lights.tracked:,} devices that were followed ({followed}). ",
                common or each,
                " Stripes are lights that blink or alternate.",
                class_="soft",
            ),
            table(
                "One strip each, from its first light on", ["device", "why", "took", "lights"], rows
            ),
            folded("Table: lights of chosen devices", _table(lights)),
            folded("What the lights mean", _meanings(lights)),
        ]
    )


def _span(devices: list[DeviceLights]) -> tuple[float, float] | None:
    """Return the axis that all strips share; None: their stories are too far apart for one."""
    if not devices:
        return None
    ends = [(device.changes[0][0], device.changes[-1][0]) for device in devices]
    first, last = min(end[0] for end in ends), max(end[1] for end in ends)
    longest = max(end - begin for begin, end in ends)
    if last - first > SPREAD_MAX * max(longest, 0.001):
        return None
    return first, _with_end(first, last)


def _with_end(first: float, last: float) -> float:
    return last + max(0.001, (last - first) * LAST_PCT / 100)


def _row(device: DeviceLights, lights: Lights, whole: tuple[float, float] | None) -> list[Child]:
    first, last = device.changes[0][0], device.changes[-1][0]
    begin, end = whole or (first, _with_end(first, last))
    spoken = ", ".join(dict.fromkeys(light for _, light in device.changes))
    pieces = join(_pieces(device, lights.patterns.get(device.profile, {}), begin, end))
    strip = tag(
        "svg",
        tag("title", f"device {device.device}: {spoken}"),
        tag("rect", class_="dark", width=WIDTH, height=HEIGHT),
        pieces,
        class_="lamp",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        role="img",
    )
    name = f"{device.device}, {device.product}"
    why = WHY.get(device.why, device.why) + (" (cut)" if device.cut else "")
    return [name, why, duration(device.took_s), tag("td", strip, class_="fill")]


def _pieces(
    device: DeviceLights, patterns: dict[str, LightPattern], begin: float, end: float
) -> Iterator[Html]:
    scale = WIDTH / (end - begin)
    for (at_s, light), (until_s, _) in pairwise([*device.changes, (end, "")]):
        pattern = patterns.get(light)
        if pattern is None or not pattern.colours:
            continue
        left, right = (at_s - begin) * scale, (until_s - begin) * scale
        words = f"{light}: {pattern.words}, {at_s:.1f} to {until_s:.1f} s"
        yield tag("g", tag("title", words), *_stripes(pattern, left, right))


def _stripes(pattern: LightPattern, left: float, right: float) -> Iterator[Html]:
    first = pattern.colours[0]
    if not pattern.on_ms:
        yield _rect(left, right, first)
        return
    width = STRIPE_SLOW if pattern.on_ms + pattern.off_ms >= SLOW_MS else STRIPE_FAST
    count = max(1, min(STRIPES_MAX, round((right - left) / width)))
    step = (right - left) / count
    lit = pattern.on_ms / (pattern.on_ms + pattern.off_ms)
    for number in range(count):
        at = left + number * step
        yield _rect(at, at + step * lit, first)
        if len(pattern.colours) > 1:
            yield _rect(at + step * lit, at + step, pattern.colours[1])


def _rect(left: float, right: float, colour: str) -> Html:
    width = max(0.4, right - left)
    return tag("rect", class_=f"c-{colour}", x=f"{left:.1f}", width=f"{width:.1f}", height=HEIGHT)


def _table(lights: Lights) -> Html:
    rows = [
        [f"{device.device}, {device.product}", f"{at_s:.3f}", light]
        for device in lights.devices
        for at_s, light in device.changes
    ]
    return table("Every change of these lights", ["device", "at, s", "light"], rows)


def _meanings(lights: Lights) -> Html:
    rows = [
        [f"{profile}: {light}", pattern.words]
        for profile, patterns in lights.patterns.items()
        for light, pattern in patterns.items()
    ]
    return table("Lights by model", ["light", "what it does"], rows, class_="words")
