"""What the terminal shows of one device: its light in real time, its states, keys, happenings.

Drawn anew some twenty times a second from the desk as it is, so a blinking light blinks.
"""

from collections import deque
from collections.abc import Callable

import msgspec
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fleet.commands import script
from fleet.commands.hands import Desk
from fleet.commands.light import clock, lamp
from fleet.light.meaning import lamps

HAPPENINGS_MAX = 12
FRAMES_PER_S = 20


class Question(msgspec.Struct):
    """What is asked in place of the keys, what the answer makes a hand do, and what is typed yet."""

    prompt: str
    steps: Callable[[str], list[script.Step]]
    typed: str = ""


class Face:
    """The face of one device in the terminal."""

    def __init__(self, desk: Desk) -> None:
        """Draw `desk`; happenings come in by `report`."""
        self._desk = desk
        self._happenings: deque[str] = deque(maxlen=HAPPENINGS_MAX)
        self.question: Question | None = None

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
        light = lamp(lamps(desk.setup.profile), desk.pattern, now_ms - desk.since_ms)
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
        facts.add_row("light", light, f"{desk.state.light}: {desk.pattern.in_words()}")
        facts.add_row("state", state, "")
        facts.add_row("hands", ", ".join(hands), "")
        for number, line in enumerate(desk.behind()):
            facts.add_row("" if number else "behind it", line, "")
        return facts

    def _prompt(self) -> Text:
        if self.question is not None:
            return Text(f"{self.question.prompt}: {self.question.typed}_")
        profile = self._desk.setup.profile
        last = "[c] cable" if profile.wired else "[q] show QR code"
        more = "  [s] sub-device" if profile.children else ""
        return Text(f"[p] power  [b] button  {last}{more}  [x] quit", style="dim")
