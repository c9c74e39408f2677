"""The indicator light: a Moore output. What it shows depends on the state and on nothing else.

The vendor's recommendation for cameras is the page "Peripheral Control" (TuyaOS IPC) and, older,
"IPC Specification for Tone and Light": booting, waiting for pairing, joining, registering,
online, loading new firmware, and two ways to fail. Colours and timings come from the profile. The four states that the
operator of a batch unbinding reads are derived from the same inputs; that they are four and the
same for the QR and the wired way is published ("Unbind Smart Devices"), their wording is not.
"""

from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

import msgspec

from firmware_sim.device.states import Lifecycle, Outcome, Session


class Mode(StrEnum):
    """How a light moves."""

    OFF = "off"
    SOLID = "solid"
    BLINK = "blink"
    ALTERNATE = "alternate"


Colour = Literal["red", "green", "blue", "amber", "yellow", "white"]
PatternMs = Annotated[int, msgspec.Meta(ge=0, le=60_000)]


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one light does. `colours`: one for solid and blink, two for alternate, none for off.

    Blink: on for `on_ms`, off for `off_ms`. Alternate: first colour for `on_ms`, second for
    `off_ms`. `source` is the vendor's page title or the words "our choice".
    """

    mode: Mode
    source: Annotated[str, msgspec.Meta(min_length=1)]
    colours: tuple[Colour, ...] = ()
    on_ms: PatternMs = 0
    off_ms: PatternMs = 0

    def __post_init__(self) -> None:
        """Refuse a pattern that no light can show (ValueError, reported with file and key)."""
        wanted = {Mode.OFF: 0, Mode.SOLID: 1, Mode.BLINK: 1, Mode.ALTERNATE: 2}[self.mode]
        if len(self.colours) != wanted:
            raise ValueError(f"mode {self.mode} takes {wanted} colours, got {len(self.colours)}")
        moving = self.mode in (Mode.BLINK, Mode.ALTERNATE)
        if {bool(self.on_ms), bool(self.off_ms)} != {moving}:
            raise ValueError(f"mode {self.mode}: on_ms and off_ms are for blink and alternate only")

    def colour_at(self, elapsed_ms: int) -> str:
        """Return the colour that is lit `elapsed_ms` after the pattern began; "" is dark."""
        if self.mode is Mode.OFF:
            return ""
        if self.mode is Mode.SOLID:
            return self.colours[0]
        if elapsed_ms % (self.on_ms + self.off_ms) < self.on_ms:
            return self.colours[0]
        return self.colours[1] if self.mode is Mode.ALTERNATE else ""

    def in_words(self) -> str:
        """Return the pattern as people say it: `red blinks 250/250 ms`."""
        if self.mode is Mode.OFF:
            return "dark"
        colours = " and ".join(self.colours)
        if self.mode is Mode.SOLID:
            return colours
        verb = "blinks" if self.mode is Mode.BLINK else "alternate"
        return f"{colours} {verb} {self.on_ms}/{self.off_ms} ms"


LIGHTS = (
    "off",
    "booting",
    "waiting",
    "unbound",
    "joining",
    "registering",
    "online",
    "reconnecting",
    "ota",
    "resetting",
    "join_failed",
    "activation_failed",
)


class Shown(NamedTuple):
    """One line of the output table; None matches every value. The first line that fits counts."""

    light: str
    operator: str
    lifecycle: Lifecycle
    session: Session | None = None
    outcome: Outcome | None = None


OUTPUTS = (
    Shown("off", "", Lifecycle.OFF),
    Shown("booting", "unbinding", Lifecycle.BOOTING, outcome=Outcome.UNBOUND),
    Shown("booting", "", Lifecycle.BOOTING),
    Shown("unbound", "unbound", Lifecycle.WAITING, outcome=Outcome.UNBOUND),
    Shown("waiting", "waiting", Lifecycle.WAITING),
    Shown("joining", "unbinding", Lifecycle.JOINING),
    Shown("registering", "unbinding", Lifecycle.ACTIVATING),
    Shown("reconnecting", "", Lifecycle.REJOINING),
    Shown("online", "", Lifecycle.ONLINE, session=Session.UP),
    Shown("reconnecting", "", Lifecycle.ONLINE),
    Shown("ota", "", Lifecycle.UPDATING),
    Shown("resetting", "unbinding", Lifecycle.RESETTING, outcome=Outcome.UNBOUND),
    Shown("resetting", "", Lifecycle.RESETTING),
    Shown("join_failed", "failed", Lifecycle.FAILED, outcome=Outcome.JOIN_FAILED),
    Shown("activation_failed", "failed", Lifecycle.FAILED),
)


def _fits(line: Shown, lifecycle: Lifecycle, session: Session, outcome: Outcome) -> bool:
    return (
        line.lifecycle is lifecycle
        and line.session in (None, session)
        and line.outcome in (None, outcome)
    )


_COMPILED = {
    (lifecycle, session, outcome): next(
        line for line in OUTPUTS if _fits(line, lifecycle, session, outcome)
    )
    for lifecycle in Lifecycle
    for session in Session
    for outcome in Outcome
}


def shown(lifecycle: Lifecycle, session: Session, outcome: Outcome) -> Shown:
    """Return the light and the operator's reading for a state of the device."""
    return _COMPILED[(lifecycle, session, outcome)]
