"""What an operator sees while a run goes on: lights, states, how many are done, how fast.

In a terminal a panel that is redrawn four times a second; without one a plain line every few
seconds, for logs.
"""

from collections import deque
from collections.abc import Mapping
from typing import Protocol

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from firmware_sim.device.indicator import LIGHTS
from firmware_sim.device.profile import Profile
from fleet.light.colours import ink_of
from fleet.run.histogram import Histogram
from fleet.run.phases import UNBIND

LINE_EVERY_S = 3.0
REDRAWS_PER_S = 4
RATE_OVER_S = 5.0
PERCENTS = (50, 95, 99)


class View(msgspec.Struct, frozen=True):
    """One moment of a run. Counts are devices; `changes` counts all states entered so far.

    `phases` are durations, `failed` what did not work before the cloud was asked.
    """

    phase: str
    elapsed_s: float
    devices: int
    for_sale: int
    lifecycles: Mapping[str, int]
    lights: Mapping[str, int]
    unbound: int
    rebound: int
    refused: Mapping[str, int]
    changes: int
    phases: Mapping[str, Histogram] = {}
    failed: Mapping[str, int] = {}


class Progress(Protocol):
    """Something that shows a run."""

    def show(self, view: View) -> None:
        """Show this moment."""
        ...

    def say(self, text: str) -> None:
        """Show one line that stays."""
        ...

    def close(self) -> None:
        """Leave the screen in order."""
        ...


def make_progress(console: Console, profiles: Mapping[str, Profile]) -> Progress:
    """Return a panel for a terminal, lines for everything else."""
    return Panel(console, light_colours(profiles)) if console.is_terminal else Lines(console)


def light_colours(profiles: Mapping[str, Profile]) -> dict[str, str]:
    """Return a colour for each light: that of the first model that has one."""
    colours: dict[str, str] = {}
    for profile in profiles.values():
        for light, pattern in profile.indicator.items():
            if pattern.colours:
                colours.setdefault(light, ink_of(pattern.colours[0]))
    return colours


class Rate:
    """How many per second, over the last few seconds."""

    def __init__(self) -> None:
        """Start without samples."""
        self._samples: deque[tuple[float, int]] = deque(maxlen=256)

    def add(self, at_s: float, count: int) -> float:
        """Take the count so far; return the rate."""
        self._samples.append((at_s, count))
        while at_s - self._samples[0][0] > RATE_OVER_S:
            self._samples.popleft()
        then_s, then_count = self._samples[0]
        return (count - then_count) / (at_s - then_s) if at_s > then_s else 0.0


class Lines:
    """Plain lines, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        """Print to `console`."""
        self._console = console
        self._rate = Rate()
        self._next_s = 0.0
        self._phase = ""

    def show(self, view: View) -> None:
        """Print a line when the phase changes and every few seconds."""
        rate = self._rate.add(view.elapsed_s, view.unbound)
        if view.phase == self._phase and view.elapsed_s < self._next_s:
            return
        self._phase, self._next_s = view.phase, view.elapsed_s + LINE_EVERY_S
        self.say(line(view, rate))

    def say(self, text: str) -> None:
        """Print one line, never cut."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Nothing is left on the screen to put in order."""


def line(view: View, rate: float) -> str:
    """Return a moment as one line."""
    lights = ", ".join(f"{light} {view.lights[light]}" for light in _lit(view))
    refused = sum(view.refused.values())
    unbinding = view.phases.get(UNBIND)
    took = f", p95 {unbinding.percentile(95):.0f} ms" if unbinding and unbinding.count else ""
    return (
        f"{view.elapsed_s:6.1f} s  {view.phase:<7} unbound {view.unbound}/{view.devices}"
        f" ({rate:.1f}/s{took}), rebound {view.rebound}/{view.for_sale}, refused {refused} | {lights}"
    )


def _lit(view: View) -> list[str]:
    return [light for light in LIGHTS if view.lights.get(light)]


class Panel:
    """A panel that is redrawn in place; lines that stay scroll above it."""

    def __init__(self, console: Console, colours: Mapping[str, str]) -> None:
        """Draw on `console`; `colours` by light."""
        self._colours = colours
        self._unbinding, self._rebinding, self._changing = Rate(), Rate(), Rate()
        self._next_s = 0.0
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, view: View) -> None:
        """Draw the moment, unless one was drawn just now."""
        unbound_per_s = self._unbinding.add(view.elapsed_s, view.unbound)
        rebound_per_s = self._rebinding.add(view.elapsed_s, view.rebound)
        changes_per_s = self._changing.add(view.elapsed_s, view.changes)
        if view.elapsed_s >= self._next_s:
            self._next_s = view.elapsed_s + 1 / REDRAWS_PER_S
            self._live.update(
                self._draw(view, unbound_per_s, rebound_per_s, changes_per_s), refresh=True
            )

    def say(self, text: str) -> None:
        """Print one line above the panel."""
        self._live.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Remove the panel."""
        self._live.stop()

    def _draw(
        self, view: View, unbound_per_s: float, rebound_per_s: float, changes_per_s: float
    ) -> RenderableType:
        head = Text.assemble(
            (f" {view.phase} ", "reverse bold"),
            f"  {view.elapsed_s:5.1f} s   unbound {view.unbound}/{view.devices}"
            f" ({unbound_per_s:.1f}/s)   rebound {view.rebound}/{view.for_sale}"
            f" ({rebound_per_s:.1f}/s)   {changes_per_s:.0f} states/s",
        )
        lights = Table(box=None, pad_edge=False, show_header=False)
        for light in _lit(view):
            count = view.lights[light]
            colour = self._colours.get(light, "grey50")
            lights.add_row(
                Text("●", style=colour), light, str(count), Text(_bar(count, view.devices), colour)
            )
        states = "  ".join(
            f"{name} {count}" for name, count in sorted(view.lifecycles.items()) if count
        )
        return Group(
            head,
            lights,
            Text(states, "dim"),
            *_percentiles(view.phases),
            Text(f"refused: {_counted(view.refused)}", "dim"),
            Text(f"failed: {_counted(view.failed)}", "dim"),
        )


def _counted(counts: Mapping[str, int]) -> str:
    return "  ".join(f"{reason} {count}" for reason, count in counts.items()) or "-"


def _percentiles(phases: Mapping[str, Histogram]) -> list[Table]:
    """Return a table of how long devices take, once any has completed a phase."""
    table = Table("phase (ms)", box=None, pad_edge=False, header_style="dim")
    for title in ("count", *(f"p{percent}" for percent in PERCENTS), "max"):
        table.add_column(title, justify="right", header_style="dim")
    for name, times in phases.items():
        if times.count:
            percentiles = (f"{times.percentile(percent):,.0f}" for percent in PERCENTS)
            table.add_row(name, str(times.count), *percentiles, f"{times.max_ms:,.0f}")
    return [table] if table.row_count else []


def _bar(count: int, total: int) -> str:
    return "█" * max(1, round(40 * count / total))
