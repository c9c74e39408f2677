"""`fleet led`: the table, lamps that blink by a clock, and files that say how exact they are."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from rich.console import Console

from firmware_sim.device.indicator import LIGHTS
from firmware_sim.errors import UsageError
from fleet.commands.lamps import Clock, Pictures, show
from hw_profiles import catalog

NOTHING = Pictures()


class Hours:
    """A clock that moves only while somebody sleeps; after some naps Ctrl-C is pressed."""

    def __init__(self, naps_max: int = 1000) -> None:
        self.naps_s: list[float] = []
        self.naps_max = naps_max

    def sleep_s(self, duration_s: float) -> None:
        if len(self.naps_s) == self.naps_max:
            raise KeyboardInterrupt
        self.naps_s.append(duration_s)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: 100 + sum(self.naps_s), self.sleep_s)


@pytest.fixture
def terminal() -> Console:
    file = io.StringIO()
    return Console(file=file, width=100, height=40, force_terminal=True, markup=False)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", console.file.getvalue())


# --- without a terminal -------------------------------------------------------------------------


@pytest.mark.parametrize("name", catalog.names())
def test_without_a_terminal_it_is_a_table(name: str, screen: Console) -> None:
    hours = Hours(naps_max=0)
    assert show(name, None, NOTHING, None, screen, hours.clock) == 0
    head, _, *lines = printed(screen).splitlines()
    assert head == f"{name}: {catalog.load(name).title}"
    assert [line.split()[0] for line in lines[: len(LIGHTS)]] == list(LIGHTS)


def test_a_row_says_all_there_is_to_say(screen: Console) -> None:
    assert show("ipc-new", "waiting", NOTHING, None, screen) == 0
    _, heads, row, note = printed(screen).splitlines()
    assert heads.split() == ["light", "operator", "reads", "pattern", "source", "meaning"]
    assert [cell.strip() for cell in row.split("  ") if cell] == [
        "waiting",
        "waiting",
        "red blinks 250/250 ms",
        "vendor [1]",
        "It waits for a token: show it a QR code.",
    ]
    assert note == "[1] Peripheral Control"


def test_what_is_our_choice_has_no_note(screen: Console) -> None:
    assert show("nvr", None, NOTHING, None, screen) == 0
    assert "our choice" in printed(screen)
    assert "[1]" not in printed(screen)


# --- in a terminal ------------------------------------------------------------------------------


def test_lamps_change_at_their_edges(terminal: Console) -> None:
    hours = Hours()
    assert show("ipc-one-light", None, NOTHING, 0.6, terminal, hours.clock) == 0
    # White for 100 of 200 ms, 100 of 2000, 250 of 500.
    assert [round(1000 * nap) for nap in hours.naps_s] == [100, 100, 50, 50, 100, 100, 100]
    assert "● white" in printed(terminal)
    assert "vendor [1]" in printed(terminal)
    assert "show it a QR code" not in printed(terminal)  # no room for sentences


@pytest.mark.parametrize("state", [None, "unbound"])
def test_ctrl_c_ends_it(terminal: Console, state: str | None) -> None:
    hours = Hours(naps_max=4)
    assert show("ipc-blue-red", state, NOTHING, None, terminal, hours.clock) == 0
    assert hours.naps_s == [0.25] * 4


def test_one_state_is_shown_large(terminal: Console) -> None:
    assert show("ipc-blue-red", "unbound", NOTHING, 0.5, terminal, Hours().clock) == 0
    text = printed(terminal)
    assert "▀" in text
    for part in ("○", "●", "blue", "red", "the operator reads: unbound", "(our choice)"):
        assert part in text


def test_a_state_that_says_nothing_to_the_operator(terminal: Console) -> None:
    assert show("nvr", "online", NOTHING, 1, terminal, Hours().clock) == 0
    assert "the operator reads" not in printed(terminal)


def test_no_terminal_is_asked_for_more_than_it_can_draw(
    terminal: Console, own: Callable[[int], str]
) -> None:
    hours = Hours()
    assert show(own(3), "waiting", NOTHING, 0.1, terminal, hours.clock) == 0
    assert set(hours.naps_s) == {0.02}


# --- files --------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Callable[[int], str]:
    """Return what writes a model of one's own, that blinks as quickly as is said (ms)."""

    def write(blink_ms: int) -> str:
        path = tmp_path / f"own-{blink_ms}.toml"  # models are read once
        lamp = f'mode = "blink", colours = ["red"], on_ms = {blink_ms}, off_ms = {blink_ms}'
        path.write_text(
            'title = "A & B"\nkind = "nvr"\ncategory = "nvr"\nextends = "wired"\n'
            f'[indicator]\nwaiting = {{ {lamp}, source = "a data sheet" }}\n'
        )
        return str(path)

    return write


@pytest.mark.parametrize(("state", "loop_ms"), [("waiting", 500), (None, 3000)])
def test_every_picture_is_written(
    tmp_path: Path, screen: Console, state: str | None, loop_ms: int
) -> None:
    names = ("gif.gif", "apng.png", "png.png", "svg.svg")
    paths = [tmp_path / name for name in names]
    assert show("ipc-red-green", state, Pictures(*paths), None, screen, Hours(0).clock) == 0
    lines = printed(screen).splitlines()
    assert lines[0].startswith(f"{paths[0]}: ")
    assert lines[0].endswith(f" frames, {loop_ms} ms, every edge exact")
    assert lines[2:] == [f"{path}: timing diagram" for path in paths[2:]]
    for path, frames in zip(paths[:3], (2, 2, 1), strict=True):
        with Image.open(path) as image:
            assert getattr(image, "n_frames", 1) == (12 if frames == 2 and not state else frames)
    assert ElementTree.parse(paths[3]).getroot().tag.endswith("svg")


def test_one_picture_may_be_wanted(tmp_path: Path, screen: Console) -> None:
    path = tmp_path / "still.gif"
    assert show("nvr", "online", Pictures(gif=path), None, screen) == 0
    assert printed(screen) == f"{path}: a light that does not move\n"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_exact_is_said(
    tmp_path: Path, screen: Console, own: Callable[[int], str]
) -> None:
    path = tmp_path / "own.gif"
    assert show(own(333), "waiting", Pictures(gif=path), None, screen) == 0
    assert printed(screen).endswith(": 10 frames, 3330 ms, edges up to 5 ms off\n")
    with pytest.raises(UsageError, match="take --apng"):
        show(own(7), "waiting", Pictures(gif=path), None, screen)


def test_mistakes_name_the_choices(screen: Console, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no profile 'toaster'; allowed: base-station, "):
        show("toaster", None, NOTHING, None, screen)
    with pytest.raises(UsageError, match=r"no state 'sad' of a light; allowed: off, booting"):
        show("nvr", "sad", NOTHING, None, screen)
    nowhere = tmp_path / "no" / "where.svg"
    with pytest.raises(UsageError, match=r"where\.svg: cannot be written \(No such file"):
        show("nvr", None, Pictures(svg=nowhere), None, screen)
