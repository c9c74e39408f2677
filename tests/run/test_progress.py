import io
from typing import Any

import msgspec
from rich.console import Console

from fleet.light.colours import SHADES
from fleet.run.histogram import Histogram
from fleet.run.progress import Lines, Panel, Rate, View, light_colours, line, make_progress
from hw_profiles import catalog

PROFILES = {name: catalog.load(name) for name in ("ipc-red-green", "nvr")}
VIEW = View(
    phase="unbind",
    elapsed_s=12.34,
    devices=300,
    for_sale=100,
    lifecycles={"WAITING": 250, "ONLINE": 50, "OFF": 0},
    lights={"waiting": 190, "unbound": 60, "online": 50, "off": 0},
    unbound=60,
    rebound=5,
    refused={"token_full": 1, "token_dead": 2},
    changes=4000,
)


def view(**changes: Any) -> View:
    return msgspec.structs.replace(VIEW, **changes)


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_moment_as_a_line() -> None:
    assert line(VIEW, 4.0) == (
        "  12.3 s  unbind  unbound 60/300 (4.0/s), rebound 5/100, refused 3"
        " | waiting 190, unbound 60, online 50"
    )


def test_without_a_terminal_there_are_lines_now_and_then() -> None:
    screen = console(terminal=False)
    shown = make_progress(screen, PROFILES)
    assert isinstance(shown, Lines)
    for elapsed_s, phase in ((0, "home"), (1, "home"), (3.5, "home"), (4, "return")):
        shown.show(view(elapsed_s=elapsed_s, phase=phase))
    shown.say("shard 0 died [pid 7]")
    shown.close()
    lines = text_of(screen).splitlines()
    assert [text[10:17].strip() for text in lines[:3]] == ["home", "home", "return"]
    assert lines[3:] == ["shard 0 died [pid 7]"]


def test_in_a_terminal_there_is_a_panel() -> None:
    screen = console(terminal=True)
    shown = make_progress(screen, PROFILES)
    assert isinstance(shown, Panel)
    shown.show(VIEW)
    shown.show(view(elapsed_s=13.0, unbound=80))
    shown.show(view(elapsed_s=13.1, unbound=777))
    shown.say("the cloud died")
    shown.show(view(elapsed_s=14.0, unbound=90, refused={}))
    shown.close()
    text = text_of(screen)
    for part in (
        "unbound 80/300 (30.3/s)",
        "●  waiting  190",
        "ONLINE 50  WAITING 250",
        "token_full 1",
        "█",
    ):
        assert part in text
    assert "unbound 777" not in text
    assert "the cloud died" in text
    assert "refused: -" in text


def test_how_long_devices_take_is_shown_as_soon_as_any_has() -> None:
    took = Histogram()
    for value_ms in (100.0, 3_900.0):
        took.record(value_ms)
    moment = view(phases={"boot": Histogram(), "unbind": took}, failed={"wifi_password": 2})
    assert "(4.0/s, p95 3900 ms), rebound" in line(moment, 4.0)
    screen = console(terminal=True)
    shown = make_progress(screen, PROFILES)
    shown.show(moment)
    shown.close()
    text = text_of(screen)
    row = next(row for row in text.splitlines() if row.split()[:2] == ["unbind", "2"])
    assert row.split() == ["unbind", "2", "100", "3,900", "3,900", "3,900"]
    assert "boot" not in text.replace("booting", "")
    assert "failed: wifi_password 2" in text


def test_lights_have_the_colours_of_the_models() -> None:
    colours = light_colours(PROFILES)
    assert colours["online"] == SHADES["green"].ink
    assert colours["unbound"] == SHADES["amber"].ink
    assert "off" not in colours


def test_a_rate_is_over_the_last_seconds() -> None:
    rate = Rate()
    assert rate.add(0.0, 0) == 0.0
    assert rate.add(2.0, 10) == 5.0
    assert rate.add(20.0, 10) == 0.0
