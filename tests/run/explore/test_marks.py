"""Marks: every row of every table has one, and a run leaves those of the rows that fired."""

from fleet.run.explore.marks import ROWS, Marker, missing
from fleet.run.explore.trial import Trial
from fleet.run.virtual.command import Play
from fleet.run.virtual.sights import MODEL, make_sight
from tests.run.explore.support import case


def names(numbers: tuple[int, ...]) -> set[str]:
    return {str(ROWS[number][1]) for number in numbers}


def test_every_row_has_its_place_in_the_source() -> None:
    assert {name for name, _ in ROWS} == {"lifecycle", "session", "button"}
    assert len(set(ROWS)) == len(ROWS) > 150
    assert all(row.place.startswith("firmware_sim/device/") for _, row in ROWS)


def test_a_run_leaves_marks_of_what_has_fired() -> None:
    marks = Trial(case()).run().marks
    assert tuple(sorted(set(marks))) == marks
    found = names(marks)
    assert "OFF --PowerApplied / take_stock--> BOOTING" in found
    assert "UP --ButtonPressed--> DOWN" in {str(row) for _, row in ROWS}
    never = {str(row) for _, row in missing(marks)}
    assert "UPDATING --PowerRemoved--> OFF" in never
    assert len(missing(marks)) == len(ROWS) - len(marks)


def test_whoever_marks_changes_nothing() -> None:
    def digest(marker: Marker | None) -> str:
        sight = make_sight(MODEL, "pyzbar")
        play = Play(case().population(), sight, lambda _: None, witness=marker)
        play.play()
        return play.trace.digest()

    assert digest(Marker()) == digest(None)
