"""A line that says how far something is: repeated now and then, redrawn in a terminal."""

import io
import time

import pytest
from rich.console import Console

from fleet.run.explore.progress import LINE_EVERY_S, Progress


def test_without_a_terminal_it_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    screen = Console(file=io.StringIO(), width=20)
    progress = Progress(screen)
    due = [progress.is_due]
    now_s[0] += LINE_EVERY_S
    due.append(progress.is_due)
    progress.show("a line that is longer than the screen is wide")
    due.append(progress.is_due)
    assert due == [False, True, False]
    assert progress.elapsed_s == LINE_EVERY_S
    progress.close()
    assert screen.file.getvalue() == "a line that is longer than the screen is wide\n"  # type: ignore[attr-defined]


def test_in_a_terminal_it_comes_and_goes() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=60)
    progress = Progress(screen)
    progress.show("7 of 9")
    progress.say("it stays", "bold")
    progress.close()
    text = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "7 of 9" in text
    assert "it stays" in text
    assert text.endswith("\x1b[?25h") or "\x1b[?25h" in text, "the cursor is back"
