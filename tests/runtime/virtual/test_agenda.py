"""The clock of a virtual world: order, ties, what is planned from within, and its ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.runtime.virtual import agenda as module
from firmware_sim.runtime.virtual.agenda import Agenda


def test_things_happen_in_order_of_time_and_then_of_planning() -> None:
    agenda, seen = Agenda(100), []
    for due_ms, name in ((130, "d"), (110, "a"), (120, "b"), (120, "c")):
        agenda.at(due_ms, lambda n=name: seen.append((agenda.now_ms, n)))
    agenda.run_until(125)
    assert seen == [(110, "a"), (120, "b"), (120, "c")]
    assert (agenda.now_ms, agenda.next_ms, agenda.steps) == (125, 130, 3)


@given(st.lists(st.integers(0, 50), max_size=60))
def test_any_plan_is_a_stable_sort(delays_ms: list[int]) -> None:
    agenda = Agenda(0)
    seen: list[tuple[int, int]] = []
    for number, delay_ms in enumerate(delays_ms):
        agenda.after(delay_ms, lambda d=delay_ms, n=number: seen.append((d, n)))
    agenda.run_until(50)
    assert seen == sorted((delay_ms, n) for n, delay_ms in enumerate(delays_ms))


def test_what_is_planned_from_within_for_now_happens_now_and_last() -> None:
    agenda, seen = Agenda(0), []

    def first() -> None:
        seen.append("first")
        agenda.at(-5, seen.append, "late")  # long ago is now

    agenda.at(7, first)
    agenda.at(7, seen.append, "second")
    agenda.run_next()
    assert (seen, agenda.now_ms, agenda.next_ms) == (["first", "second", "late"], 7, None)


def test_a_run_that_is_stopped_goes_on_where_it_was() -> None:
    agenda = Agenda(0)
    seen: list[str] = []

    def stop() -> None:
        agenda.stop = True

    agenda.at(1, stop)
    agenda.at(1, seen.append, "left")
    agenda.run_next()
    assert (seen, agenda.next_ms) == ([], 1)
    agenda.stop = False
    agenda.run_next()
    assert (seen, agenda.next_ms) == (["left"], None)


def test_a_mistake_ends_the_moment_and_loses_nothing_else() -> None:
    agenda = Agenda(0)
    seen: list[str] = []
    agenda.at(1, lambda: 1 // 0)
    agenda.at(1, seen.append, "left")
    with pytest.raises(ZeroDivisionError):
        agenda.run_next()
    agenda.run_next()
    assert seen == ["left"]


def test_a_moment_that_never_ends_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE_MAX", 100)
    agenda = Agenda(0)

    def again() -> None:
        agenda.after(0, again)

    again()
    with pytest.raises(RuntimeError, match="100 things in one millisecond"):
        agenda.run_next()


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(0, 30))
def test_what_is_void_is_dropped_and_all_else_happens(delays_ms: list[int], at_ms: int) -> None:
    agenda = Agenda(0)
    seen: list[int] = []
    for number, delay_ms in enumerate(delays_ms):
        agenda.after(delay_ms, seen.append, number)
    agenda.run_until(at_ms)
    left = [number for number, delay_ms in enumerate(delays_ms) if delay_ms > at_ms]
    kept = [number for number in left if number % 2]
    assert agenda.drop(lambda _, args: args[0] % 2 == 0) == len(kept)
    before = len(seen)
    agenda.run_until(30)
    assert sorted(seen[before:]) == kept
    assert agenda.next_ms is None
