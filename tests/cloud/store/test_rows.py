"""Any record goes through its row unchanged; a row that does not fit is named."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.store.rows import table_of
from tests.cloud.store.things import Colour, Part, Thing

things = st.builds(
    Thing,
    owner=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    number=st.integers(-(2**63), 2**63 - 1),
    weight=st.floats(allow_nan=False),
    shiny=st.booleans(),
    wanted=st.none() | st.booleans(),
    note=st.none() | st.sampled_from(["", "null", "1", "true", "a\nb", "Café"]),
    key=st.binary(max_size=4),
    colour=st.sampled_from(Colour),
    tags=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=3),
    parts=st.lists(st.builds(Part, st.just("p"), st.integers(0, 9)), max_size=2).map(tuple),
    extra=st.none() | st.just(Part("x", 1)),
)


@given(st.lists(things, max_size=5, unique_by=lambda thing: (thing.owner, thing.number)))
def test_any_record_goes_through_its_row_unchanged(rows: list[Thing]) -> None:
    table = table_of(Thing)
    assert [table.record(table.row(row)) for row in rows] == rows
