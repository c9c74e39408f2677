"""Any record goes through its row unchanged; a row that does not fit is named."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.store.records import Delete, Put
from fleet.cloud.store.rows import folded, table_of
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


def test_the_last_state_of_each_record_counts() -> None:
    first, second = (Thing(owner="a", number=number) for number in (1, 2))
    renewed = msgspec.structs.replace(first, note="new")
    gone = [Delete(Thing, ("a", number)) for number in (1, 2)]
    assert folded([(Put(first), Put(second)), (gone[1], Put(renewed))]) == {
        Thing: {("a", 1): renewed, ("a", 2): None}
    }
    assert folded([gone, (Put(second),)]) == {Thing: {("a", 1): None, ("a", 2): second}}
