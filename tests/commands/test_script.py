"""The words of a script, and what is said to those who use others."""

from pathlib import Path

import pytest

from firmware_sim.device.indicator import LIGHTS
from firmware_sim.errors import UsageError
from fleet.commands import script


def test_the_steps_of_a_rehearsal() -> None:
    text = (
        "p; hold 3s; wait waiting\nshow my code.png # from the phone\n;; b;c; hide; sleep 250ms; x"
    )
    assert script.parse(text) == [
        script.Power(),
        script.Hold(3000),
        script.Wait("waiting"),
        script.Show(Path("my code.png")),
        script.Button(),
        script.Cable(),
        script.Hide(),
        script.Sleep(250),
        script.Quit(),
    ]


@pytest.mark.parametrize("verb", script.CHILD_VERBS)
def test_sub_devices_have_numbers(verb: str) -> None:
    assert script.parse(f"{verb} 12") == [script.Child(verb, 12)]


def test_a_hold_and_a_wait_may_leave_the_time_open() -> None:
    assert script.parse("hold; wait unbound 5s") == [
        script.Hold(None),
        script.Wait("unbound", 5000),
    ]


@pytest.mark.parametrize("text", ["", "  \n;; ;# nothing"])
def test_nothing_is_nothing(text: str) -> None:
    assert script.parse(text) == []


@pytest.mark.parametrize("mood", [*LIGHTS, "unbinding", "failed"])
def test_every_light_and_what_the_operator_reads_can_be_waited_for(mood: str) -> None:
    assert script.parse(f"wait {mood}") == [script.Wait(mood)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jump", r"no step 'jump'; there are: p, b, hold, show, hide, c, add, .*, x"),
        ("add one", r"add one: say which sub-device by its number, from 1"),
        ("find -1", r"say which sub-device"),
        ("lose", r"step 'lose': lose takes 1 words"),
        ("p now", r"step 'p now': p takes 0 words"),
        ("show", r"step 'show': show takes 1 to 99 words"),
        ("sleep", r"sleep takes 1 words"),
        ("hold a while", r"hold takes 0 to 1 words"),
        ("wait happiness", r"wait happiness: no device shows that; there are: activation_failed,"),
        ("sleep soon", r"'soon' is no duration"),
        ("sleep -1s", r"'-1s' is no duration"),
        ("sleep nans", r"'nans' is no duration"),
        ("sleep 1e9s", r"'1e9s' is no duration"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        script.parse(text)


@pytest.mark.parametrize(
    ("text", "value_ms"), [("3s", 3000), ("1.5s", 1500), ("2", 2000), ("7ms", 7)]
)
def test_durations(text: str, value_ms: int) -> None:
    assert script.duration_ms(text) == value_ms
