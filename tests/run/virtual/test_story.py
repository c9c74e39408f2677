"""Prose: entries of a trace and of a witness, in columns, with nothing secret."""

import pytest

from firmware_sim import events as ev
from firmware_sim.device.indicator import Mode, Pattern
from firmware_sim.runtime.virtual.trace import Entry, Trace
from fleet.run.virtual.command import START_MS
from fleet.run.virtual.story import cells, in_columns, lines, tell
from fleet.run.virtual.telling.line import Line

TOKEN = "EUabcd1234pro0"


def entries() -> list[Entry]:
    trace = Trace()
    trace.event(START_MS, 3, ev.PowerApplied())
    trace.event(START_MS + 1234, 3, ev.MqttReceived(b"secret"))
    trace.note(START_MS + 2000, "person", 0, f"GET /app/v1/pair-tokens/{TOKEN}", b"body")
    trace.note(START_MS + 3000, "cloud", 0, "crash")
    return list(trace.last)


def test_a_trace_is_told_by_what_came_and_what_takes_it() -> None:
    power, mqtt, person, cloud = tell(entries())
    assert power == "    0.000 s  device 3         power comes on"
    assert mqtt.startswith("    1.234 s  device 3         <- MQTT, 6 B  ")
    assert "firmware_sim/device/device.py:" in mqtt
    assert person == "    2.000 s  person           GET /app/v1/pair-tokens/..."
    assert cloud == "    3.000 s  cloud            crash"


def test_times_count_from_the_start_that_is_given() -> None:
    assert next(tell(entries(), START_MS - 500)).startswith("    0.500 s")


def test_the_lines_of_a_witness_are_told_as_they_are() -> None:
    said = (Line("device 1", "one", "a.py:1"), Line("device 1", "two"))
    told = [(START_MS, "device", 1, said)]
    assert list(lines(told)) == [(START_MS, said[0]), (START_MS, said[1])]
    first, second = tell(told)
    assert first.endswith(" a.py:1")
    assert second == "    0.000 s  device 1         two"


def test_a_light_is_shown_by_the_letters_of_its_colours() -> None:
    blink = Pattern(Mode.BLINK, "x", ("red",), 250, 250)
    line = Line("device 1", "light waiting", pattern=blink)
    assert in_columns(0, line).endswith("RR..RR..RR..RR.. light waiting")


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        (Pattern(Mode.OFF, "x"), "................"),
        (Pattern(Mode.SOLID, "x", ("amber",)), "aaaaaaaaaaaaaaaa"),
        (Pattern(Mode.BLINK, "x", ("green",), 1500, 1500), "gggggggggggg...."),
        (Pattern(Mode.ALTERNATE, "x", ("red", "blue"), 500, 250), "rrrrbbrrrrbbrrrr"),
    ],
)
def test_two_seconds_of_a_light(pattern: Pattern, shown: str) -> None:
    assert "".join(cell[:1] or "." for cell in cells(pattern)) == shown
