"""What the terminal shows of one device: its light in real time, its states, keys, happenings.

Drawn anew some twenty times a second from the desk as it is, so a blinking light blinks.
"""

from collections import deque

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fleet.commands.hands import Desk
from fleet.commands.light import clock, describe, lamp

HAPPENINGS_MAX = 12
FRAMES_PER_S = 20


class Face:
    """The face of one device in the terminal."""

    def __init__(self, desk: Desk) -> None:
        """Draw `desk`; happenings come in by `report`."""
        self._desk = desk
        self._happenings: deque[str] = deque(maxlen=HAPPENINGS_MAX)
        self.question: str | None = None
        """What has been typed so far of the name of a picture; None when nothing is asked."""

    def report(self, now_ms: int, text: str) -> None:
        """Note one happening."""
        self._happenings.append(f"{clock(now_ms)}  {text}")

    def draw(self, now_ms: int) -> Panel:
        """Return the face as it is at `now_ms`."""
        desk = self._desk
        identity = desk.setup.identity
        return Panel(
            Group(self._facts(now_ms), "", *self._happenings, "", self._prompt()),
            title=Text(f"{desk.setup.profile.name}  {identity.uuid}  {desk.ip}"),
            title_align="left",
        )

    def _facts(self, now_ms: int) -> Table:
        desk = self._desk
        light = lamp(desk.pattern, now_ms - desk.since_ms)
        state = Text(f"{desk.state.lifecycle} / {desk.state.session}")
        if desk.state.operator:
            state.append(f"   {desk.state.operator}", style="bold")
        hands = [
            "power on" if desk.powered else "power off",
            "button down" if desk.pressed else "button up",
        ]
        if desk.setup.profile.wired:
            hands.append("cable in" if desk.plugged else "cable out")
        else:
            hands.append(f"sees {desk.code}" if desk.code else "sees no code")
        facts = Table.grid(padding=(0, 2))
        facts.add_row("light", light, f"{desk.state.light}: {describe(desk.pattern)}")
        facts.add_row("state", state, "")
        facts.add_row("hands", ", ".join(hands), "")
        return facts

    def _prompt(self) -> Text:
        if self.question is not None:
            return Text(f"picture with the QR code (empty: take it away): {self.question}_")
        last = "[c] cable" if self._desk.setup.profile.wired else "[q] show QR code"
        return Text(f"[p] power  [b] button  {last}  [x] quit", style="dim")
