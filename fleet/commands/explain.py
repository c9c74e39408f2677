"""`fleet explain`: the story of one device, as a page to read.

In a terminal lights have their colours; elsewhere a letter stands for each, and a dot for darkness.
"""

from collections.abc import Iterator
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from firmware_sim.device.indicator import Pattern
from fleet.light.colours import SHADES, ink_of
from fleet.run.command import INTERRUPTED
from fleet.run.virtual.explain import Chapter, Story, tell_story
from fleet.run.virtual.story import cells
from fleet.run.virtual.telling.cloud_witness import CLOUD
from fleet.run.virtual.telling.line import Line, Turn

TOLD, BROKEN, BY_SIGNAL = 0, 1, 130

_PAGE, _TIME, _WHO, _TEXT = 100, 9, 16, 90  # columns
_WIDE = _TIME + _WHO + _TEXT + 40
_LEGEND = """Times count from the start of the run. On the right stands what decided: a row of one of
the firmware's tables, or a function of firmware or cloud. A light is shown for two seconds"""
_CHAPTERS: dict[Turn, tuple[str, str]] = {
    Turn.BUTTON: (
        "The reset button",
        """Held long enough, it makes the device forget its owner, its network and its keys. The
        cloud forgets nothing: a strong binding stands until the cloud ends it.""",
    ),
    Turn.UNBIND: (
        "An unbinding token",
        """An after-sales account orders a token that may release a batch of devices. A camera reads
        it from a QR code, a wired device is handed it over the LAN. What the token is for, no
        device knows: it joins the network, asks where its cloud is, and asks to be activated.""",
    ),
    Turn.RELEASED: (
        "Released",
        """The binding is gone; quotas, history and log were written with it in one commit. Now the
        device is told, erases itself and waits again, with another light.""",
    ),
    Turn.REBIND: (
        "The next owner",
        "What is nobody's, anybody can bind: the same way, with a token that binds.",
    ),
}


def explain(
    scenario: str,
    *,
    devices: int | None,
    seed: int,
    device: int | None,
    everything: bool,
    console: Console,
) -> int:
    """Tell the story and return the exit code: 1 if the run was not as it should be.

    The parameters are those of `fleet.run.virtual.explain.tell_story`. Raises UsageError for what
    cannot be.
    """
    story = tell_story(scenario, devices=devices, seed=seed, device=device, everything=everything)
    for line in page(story, coloured=console.is_terminal, wide=console.width >= _WIDE):
        console.print(line, soft_wrap=True)
    if story.aborted == INTERRUPTED:
        return BY_SIGNAL
    return BROKEN if story.aborted or story.failures else TOLD


def page(story: Story, *, coloured: bool, wide: bool) -> Iterator[Text]:
    """Return the story line by line; where it is not `wide`, places follow the text at once."""
    yield from _head(story, coloured=coloured)
    for chapter in story.chapters:
        yield from _chapter(chapter, coloured=coloured, wide=wide)
    yield Text()
    if story.aborted:
        yield Text(f"The run ended early: {story.aborted}", style="red")
    for failure in story.failures:
        yield Text(f"The run was not as it should be: {failure}", style="red")


def _head(story: Story, *, coloured: bool) -> Iterator[Text]:
    population, unit = story.population, story.unit
    whose, about = "everybody", ""
    if unit is not None:
        owner = unit.new_owner.name if unit.new_owner is not None else "nobody"
        whose = f"device {unit.index}"
        about = (
            f"It is of product {unit.product.name}, model {unit.product.profile}, and belonged to "
            f"{unit.owner.name}; {owner} is to have it next. "
        )
    yield Text(
        f"{population.scenario.name} with {len(population.units)} devices, seed {population.seed}: "
        f"the story of {whose}",
        style="bold",
    )
    yield from _prose(about + _LEGEND + ("." if coloured else ", by the letters of its colours."))


def _prose(text: str) -> Iterator[Text]:
    for line in wrap(" ".join(text.split()), _PAGE):
        yield Text(line, style="dim")


def _chapter(chapter: Chapter, *, coloured: bool, wide: bool) -> Iterator[Text]:
    yield Text()
    if chapter.turn is not None:
        title, text = _CHAPTERS[chapter.turn]
        yield Text(title, style="bold")
        yield from _prose(text)
        yield Text()
    before: tuple[int, str] = (-1, "")
    for at_ms, line in chapter.lines:
        yield _row(at_ms, line, before, coloured=coloured, wide=wide)
        before = (at_ms, line.who)


def _row(at_ms: int, line: Line, before: tuple[int, str], *, coloured: bool, wide: bool) -> Text:
    """Return one line; time and name are left out where they are as in the line before."""
    time = f"{at_ms / 1000:.3f}" if at_ms != before[0] else ""
    who = line.who if (at_ms, line.who) != before else ""
    row = Text.assemble(
        (f"{time:>{_TIME}}  ", "dim"),
        (f"{who:<{_WHO}} ", "cyan" if line.who == CLOUD else "bold"),
    )
    told = Text(line.text, style="dim" if line.aside else "")
    if line.pattern is not None:
        told = Text.assemble(_lamp(line.pattern, coloured=coloured), " ", told)
    row.append_text(told)
    if line.place:
        row.append(" " * max(2, _TEXT - told.cell_len if wide else 2))
        row.append(line.place, style="dim")
    return row


def _lamp(pattern: Pattern, *, coloured: bool) -> Text:
    """Return two seconds of a light, as blocks of its colours or as their first letters."""
    lamp = Text()
    for colour in cells(pattern):
        if coloured:
            lamp.append("█" if colour else "·", style=ink_of(colour))
        else:
            lamp.append(SHADES[colour].letter if colour else ".")
    return lamp
