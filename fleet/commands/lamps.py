"""`fleet led PROFILE`: what a model's light says, live in a terminal and as pictures.

In a terminal lamps blink until Ctrl-C, drawn anew at each edge of a pattern; without one the table
is printed once.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from firmware_sim.device.profile import Profile
from firmware_sim.errors import UsageError
from fleet.commands.light import lamp, large_lamp
from fleet.light.beat import Loop, until_next_edge_ms
from fleet.light.meaning import Light, lamps, light, lights
from hw_profiles import catalog

REDRAW_MS_MIN = 20  # no terminal is quicker
_WIDE = 150  # columns from which on sentences have room


class Pictures(msgspec.Struct, frozen=True):
    """Which files are wanted."""

    gif: Path | None = None
    apng: Path | None = None
    png: Path | None = None
    svg: Path | None = None

    def __bool__(self) -> bool:
        """Say whether any is."""
        return any((self.gif, self.apng, self.png, self.svg))


class Clock(msgspec.Struct, frozen=True):
    """A clock in seconds, and how to wait by it."""

    now_s: Callable[[], float] = time.monotonic
    sleep_s: Callable[[float], None] = time.sleep


REAL_TIME = Clock()


def show(
    profile: str,
    state: str | None,
    pictures: Pictures,
    seconds: float | None,
    console: Console,
    clock: Clock = REAL_TIME,
) -> int:
    """Write the wanted pictures, or else show the light; return 0.

    Raises `UsageError` for an unknown model or state, and for what cannot be written.
    """
    model = catalog.load(profile)
    chosen = lights(model) if state is None else (light(model, state),)
    if pictures:
        for line in write(model, chosen, pictures):
            console.print(line, soft_wrap=True)
        return 0
    if not console.is_terminal:
        console.print(overview(model, chosen, None, console.width))
        return 0

    def draw(elapsed_ms: int) -> RenderableType:
        if state is None:
            return overview(model, chosen, elapsed_ms, console.width)
        return close_up(model, chosen[0], elapsed_ms)

    watch(console, draw, chosen, seconds, clock)
    return 0


# --- in a terminal ------------------------------------------------------------------------------


def watch(
    console: Console,
    draw: Callable[[int], RenderableType],
    chosen: Sequence[Light],
    seconds: float | None,
    clock: Clock,
) -> None:
    """Draw at every edge, until time is up (None: never) or Ctrl-C, which is no mistake here."""
    began_s = clock.now_s()
    end_ms = None if seconds is None else round(1000 * seconds)
    elapsed_ms = 0
    with Live(console=console, auto_refresh=False) as live:
        try:
            while end_ms is None or elapsed_ms < end_ms:
                live.update(draw(elapsed_ms), refresh=True)
                wait_ms = min(until_next_edge_ms(one.pattern, elapsed_ms) for one in chosen)
                clock.sleep_s(max(wait_ms, REDRAW_MS_MIN) / 1000)
                elapsed_ms = round(1000 * (clock.now_s() - began_s))
        except KeyboardInterrupt:
            return


def overview(
    model: Profile, chosen: Sequence[Light], elapsed_ms: int | None, width: int
) -> RenderableType:
    """Return all states as a table, with a lamp each if time goes on."""
    pages = list(dict.fromkeys(one.pattern.source for one in chosen if one.vendors))
    table = Table(box=None, pad_edge=False, header_style="bold")
    if elapsed_ms is not None:
        # As wide as the longest colour, so that nothing jumps when lights go out.
        table.add_column("", min_width=2 * len(lamps(model)) + len("yellow"))
    heads = ["light", "operator reads", "pattern", "source", "meaning"]
    heads = heads if width >= _WIDE else heads[:-1]
    for head in heads:
        table.add_column(head, overflow="fold")
    for one in chosen:
        source = f"vendor [{pages.index(one.pattern.source) + 1}]" if one.vendors else one.origin
        reads = " or ".join(word or "-" for word in one.reads)
        texts = (one.state, reads, one.words, source, one.meaning)
        cells = [Text(text) for text, _ in zip(texts, heads, strict=False)]
        if elapsed_ms is not None:
            cells.insert(0, lamp(lamps(model), one.pattern, elapsed_ms))
        table.add_row(*cells)
    notes = (Text(f"[{number}] {page}", "dim") for number, page in enumerate(pages, 1))
    return Group(Text(f"{model.name}: {model.title}", "bold"), table, *notes)


def close_up(model: Profile, one: Light, elapsed_ms: int) -> RenderableType:
    """Return one state with its lamps drawn large."""
    on_case = lamps(model)
    reading = f"the operator reads: {one.reading}" if one.reading else ""
    return Group(
        large_lamp(on_case, one.pattern, elapsed_ms),
        lamp(on_case, one.pattern, elapsed_ms),
        Text.assemble((one.state, "bold"), f"  {reading}"),
        Text(one.meaning),
        Text(f"{one.words} ({one.origin})"),
        Text("Ctrl-C ends it", "dim"),
    )


# --- as pictures --------------------------------------------------------------------------------


def write(model: Profile, chosen: Sequence[Light], pictures: Pictures) -> list[str]:
    """Write every picture that is wanted; return a line about each.

    Raises `UsageError` for what no picture can show, and for a file that cannot be written.
    """
    from fleet.light.animation import apng, gif
    from fleet.light.card import portrait, sheet
    from fleet.light.diagram import diagram
    from fleet.light.raster import png
    from fleet.light.svg import svg

    card = portrait(model, chosen[0]) if len(chosen) == 1 else sheet(model, chosen)
    patterns = [one.pattern for one in chosen]
    lines = []
    for path, moving in ((pictures.gif, gif), (pictures.apng, apng)):
        if path is not None:
            made = moving(card, patterns)
            lines.append(_saved(path, made.data, _exactness(made.loop)))
    if pictures.png is not None:
        lines.append(_saved(pictures.png, png(diagram(model, chosen)), "timing diagram"))
    if pictures.svg is not None:
        text = svg(diagram(model, chosen))
        lines.append(_saved(pictures.svg, text.encode(), "timing diagram"))
    return lines


def _exactness(loop: Loop) -> str:
    if len(loop.frames) == 1:
        return "a light that does not move"
    exact = f"edges up to {loop.error_ms} ms off" if loop.error_ms else "every edge exact"
    return f"{len(loop.frames)} frames, {loop.duration_ms} ms, {exact}"


def _saved(path: Path, data: bytes, about: str) -> str:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror or error})") from None
    return f"{path}: {about}"
