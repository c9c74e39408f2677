"""One line that says how far something has got: redrawn in a terminal, repeated now and then else."""

import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

LINE_EVERY_S = 5.0
REDRAW_EVERY_S = 0.25


class Progress:
    """The line. Lines that stay are said above it."""

    def __init__(self, console: Console) -> None:
        """Start now."""
        self._console = console
        self._began_s = time.monotonic()
        self._every_s = REDRAW_EVERY_S if console.is_terminal else LINE_EVERY_S
        self._shown_s = 0.0
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(console=console, auto_refresh=False, transient=True)
            self._live.start()

    @property
    def elapsed_s(self) -> float:
        """Return for how long it has gone on, in real time."""
        return time.monotonic() - self._began_s

    @property
    def is_due(self) -> bool:
        """Say whether the line is old enough for another one."""
        return self.elapsed_s - self._shown_s >= self._every_s

    def show(self, line: str) -> None:
        """Show the line as it is now."""
        self._shown_s = self.elapsed_s
        if self._live is None:
            self.say(line)
        else:
            self._live.update(Text(line, style="dim"), refresh=True)

    def say(self, line: str, style: str = "") -> None:
        """Say one line that stays, never cut."""
        self._console.print(Text(line, style=style), soft_wrap=True)

    def close(self) -> None:
        """Leave the screen in order."""
        if self._live is not None:
            self._live.stop()
