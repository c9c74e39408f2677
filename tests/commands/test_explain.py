"""The page that tells a story: headings, columns, and a light in colour or in letters."""

import io

import msgspec
import pytest
from rich.console import Console
from rich.text import Text

from firmware_sim.device.indicator import Mode, Pattern
from fleet.commands import explain
from fleet.commands.explain import page
from fleet.light.colours import ink_of
from fleet.run.command import INTERRUPTED
from fleet.run.population import populate
from fleet.run.scenario import load_scenario
from fleet.run.virtual.explain import Chapter, Story
from fleet.run.virtual.telling.line import Line, Turn

BLINK = Pattern(Mode.BLINK, "x", ("amber",), 500, 500)
LINES = [
    (1000, Line("device 1", "the reset button goes down", "a.py:1")),
    (1000, Line("device 1", "does something")),
    (1000, Line("cloud", "<- hears of it", "b.py:2")),
    (4500, Line("device 1", "light waiting", pattern=BLINK)),
    (4500, Line("device 1", "x" * 95, "c.py:3")),
]


@pytest.fixture
def story() -> Story:
    population = populate(load_scenario("batch-unbind"), 5, 1)
    chapters = (Chapter(None, LINES[:1]), Chapter(Turn.BUTTON, LINES))
    return Story(population, population.units[1], chapters, "", ())


def rows(story: Story, *, coloured: bool = False, wide: bool = True) -> list[Text]:
    return list(page(story, coloured=coloured, wide=wide))


def plain(story: Story, *, wide: bool = True) -> list[str]:
    return [row.plain.rstrip() for row in rows(story, wide=wide)]


def test_the_head_says_whose_story_it_is(story: Story) -> None:
    head = "\n".join(plain(story)[:6])
    assert head.startswith("batch-unbind with 5 devices, seed 1: the story of device 1\n")
    assert "model ipc-red-green" in head
    everybody = msgspec.structs.replace(story, unit=None)
    assert plain(everybody)[0].endswith("the story of everybody")


def test_time_and_name_stand_where_they_change(story: Story) -> None:
    lines = plain(story)[plain(story).index("The reset button") :]
    told = [line for line in lines if line.startswith("    ")]
    assert told[0].startswith("    1.000  device 1         the reset button goes down  ")
    assert told[0].endswith("  a.py:1")
    assert told[1] == " " * 28 + "does something"
    assert told[2].startswith(" " * 11 + "cloud            <- hears of it")
    assert told[3] == "    4.500  device 1         AAAA....AAAA.... light waiting"
    assert told[4].endswith("x  c.py:3")  # longer than its column


def test_places_stand_in_a_column_where_there_is_room(story: Story) -> None:
    ends = [len(line) for line in plain(story) if line.endswith((".py:1", ".py:2"))]
    assert len(set(ends)) == 1
    assert "the reset button goes down  a.py:1" in "\n".join(plain(story, wide=False))


def test_in_a_terminal_the_light_has_its_colours(story: Story) -> None:
    [lamp] = [row for row in rows(story, coloured=True) if "light waiting" in row.plain]
    assert "████····████···· light waiting" in lamp.plain
    styles = [str(span.style) for span in lamp.spans]
    assert styles.count(ink_of("amber")) == 8


@pytest.mark.parametrize("turn", Turn)
def test_every_turn_has_a_heading(turn: Turn, story: Story) -> None:
    turned = msgspec.structs.replace(story, chapters=(Chapter(turn, LINES),))
    assert explain._CHAPTERS[turn][0] in plain(turned)


@pytest.mark.parametrize(
    ("aborted", "failures", "code"),
    [("", (), 0), ("", ("wrong",), 1), ("a full disk", (), 1), (INTERRUPTED, (), 130)],
)
def test_the_exit_code_says_how_the_run_went(
    story: Story,
    monkeypatch: pytest.MonkeyPatch,
    aborted: str,
    failures: tuple[str, ...],
    code: int,
) -> None:
    ended = msgspec.structs.replace(story, aborted=aborted, failures=failures)
    monkeypatch.setattr(explain, "tell_story", lambda *_, **__: ended)
    console = Console(file=io.StringIO(), width=200)
    done = explain.explain(
        "x", devices=None, seed=1, device=None, everything=False, console=console
    )
    assert done == code
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(words in text for words in (aborted, *failures))
