"""Life lines: the last states in order, older ones counted, room for whoever comes later."""

import pytest

from fleet.run.messages import Heard, Seen
from fleet.web import life_lines
from fleet.web.life_lines import ROWS_MAX, LifeLines, Note, Step


def seen(index: int, at_ms: int, light: str = "waiting", cause: str = "BootElapsed") -> Seen:
    return Seen(index, at_ms, "WAITING", "DOWN", light, "waiting", cause)


BEFORE = seen(0, 0)


def test_states_come_back_in_order_and_word_for_word() -> None:
    lives = LifeLines(3)
    lives.saw(BEFORE, seen(1, 10))
    lives.saw(BEFORE, seen(2, 15))
    lives.saw(BEFORE, seen(1, 20, "unbound", "ResetDone"))
    assert lives.of(1) == [
        Step(10, "WAITING", "DOWN", "waiting", "waiting", "BootElapsed"),
        Step(20, "WAITING", "DOWN", "unbound", "waiting", "ResetDone"),
    ]
    assert [step.at_ms for step in lives.of(2)] == [15]
    assert lives.of(0) == []


def test_of_many_states_the_last_are_kept_and_no_neighbour_pays_for_it() -> None:
    lives = LifeLines(2)
    lives.saw(BEFORE, seen(1, 1))
    for at_ms in range(ROWS_MAX + 5):
        lives.saw(BEFORE, seen(0, at_ms))
    assert [step.at_ms for step in lives.of(0)] == list(range(5, ROWS_MAX + 5))
    assert (lives.forgotten(0), lives.forgotten(1)) == (5, 0)
    assert [step.at_ms for step in lives.of(1)] == [1]


def test_there_is_room_for_devices_that_come_later() -> None:
    lives = LifeLines(1)
    lives.saw(BEFORE, seen(0, 1))
    assert (lives.of(7), lives.forgotten(7)) == ([], 0)
    lives.saw(BEFORE, seen(7, 2))
    assert [step.at_ms for step in lives.of(7)] == [2]
    assert [step.at_ms for step in lives.of(0)] == [1]


def test_words_have_a_bound_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life_lines, "KINDS_MAX", 3)
    lives = LifeLines(1)
    for cause in ("one", "two", "three", "one"):
        lives.saw(BEFORE, seen(0, 1, cause=cause))
    assert [step.cause for step in lives.of(0)] == ["one", "two", "", "one"]


def test_notes_are_in_one_ring_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life_lines, "NOTES_MAX", 3)
    lives = LifeLines(2)
    for at_ms in range(5):
        lives.heard(Heard(at_ms % 2, at_ms, "bad_qr", ""))
    assert lives.notes(0) == [Note(2, "bad_qr", ""), Note(4, "bad_qr", "")]
    assert lives.notes(1) == [Note(3, "bad_qr", "")]
