"""Bounded logs: what is kept, and paging, against a plain list."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.history import LogRow
from fleet.cloud.ledger import Journal, Ledger, nothing
from fleet.cloud.row_log import RowLog


def log_of(names: list[str], rows_max: int, per_name_max: int) -> RowLog[LogRow]:
    ledger: Ledger[LogRow] = Ledger(LogRow, nothing, Journal())
    log = RowLog(ledger, lambda row: (row.uuid,), rows_max=rows_max, rows_per_name_max=per_name_max)
    for name in names:
        log.append(LogRow(log.next_id, 0, name, "event", ""))
    return log


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 12), st.integers(1, 6))
def test_the_oldest_rows_go_first(names: list[str], rows_max: int, per_name_max: int) -> None:
    kept: list[tuple[int, str]] = []
    for number, name in enumerate(names, 1):
        kept.append((number, name))
        own = [row for row in kept if row[1] == name]
        if len(own) > per_name_max:
            kept.remove(own[0])
        kept = kept[-rows_max:]
    log = log_of(names, rows_max, per_name_max)
    assert [(row.id, row.uuid) for row in log] == kept
    for name in "abc":
        wanted = [row_id for row_id, owner in kept if owner == name]
        assert [row.id for row in log.page(name, 0, 100).rows] == wanted


@given(st.lists(st.sampled_from("ab"), max_size=20), st.integers(1, 5))
def test_pages_join_to_the_whole(names: list[str], limit: int) -> None:
    log = log_of(names, 100, 100)
    after: int | None = 0
    seen: list[int] = []
    while after is not None:
        page = log.page("a", after, limit)
        assert len(page.rows) <= limit
        seen += [row.id for row in page.rows]
        after = page.next
    assert seen == [number for number, name in enumerate(names, 1) if name == "a"]


def test_a_page_takes_only_what_is_asked_for() -> None:
    log = log_of(["a"] * 6, 100, 100)
    page = log.page("a", 1, 2, lambda row: row.id % 2 == 0)
    assert [row.id for row in page.rows] == [2, 4]
    assert page.next == 4
    assert log.page("a", 4, 2, lambda row: row.id % 2 == 0).next is None
    assert log.page("nobody", 0, 2).rows == []


def test_ids_go_on_after_what_was_loaded() -> None:
    old = LogRow(41, 0, "a", "event", "")
    ledger: Ledger[LogRow] = Ledger(LogRow, lambda _kind: [old], Journal())  # type: ignore[arg-type]
    log = RowLog(ledger, lambda row: (row.uuid,), rows_max=9, rows_per_name_max=9)
    assert log.next_id == 42
    assert log.get(41) is old


def test_a_log_that_was_loaded_with_smaller_limits_shrinks() -> None:
    old = [LogRow(number, 0, "ab"[number % 2], "event", "") for number in range(1, 9)]
    ledger: Ledger[LogRow] = Ledger(LogRow, lambda _kind: old, Journal())  # type: ignore[arg-type]
    log = RowLog(ledger, lambda row: (row.uuid,), rows_max=4, rows_per_name_max=2)
    log.append(LogRow(log.next_id, 0, "a", "event", ""))
    assert [row.id for row in log] == [5, 7, 8, 9]


def test_a_name_can_be_forgotten_and_its_last_ids_come_again() -> None:
    log = log_of(["a", "b", "a"], 9, 9)
    log.forget("a")
    log.forget("nobody")
    assert [(row.id, row.uuid) for row in log] == [(2, "b")]
    assert log.next_id == 3
    log.forget("b")
    assert (list(log), log.next_id) == ([], 1)


@given(st.lists(st.sampled_from("abcd"), max_size=40), st.integers(1, 8))
def test_the_oldest_go_first_also_when_names_were_forgotten(names: list[str], most: int) -> None:
    log = log_of([], most, 100)
    kept: list[tuple[int, str]] = []
    for name in names:
        if name == "d":
            log.forget("a")
            kept = [row for row in kept if row[1] != "a"]
            continue
        kept = [*kept, (log.next_id, name)][-most:]
        log.append(LogRow(log.next_id, 0, name, "event", ""))
    assert [(row.id, row.uuid) for row in log] == kept


@given(st.lists(st.sampled_from("ab"), max_size=20), st.integers(1, 5))
def test_pages_backwards_join_to_the_whole_too(names: list[str], limit: int) -> None:
    log = log_of(names, 100, 100)
    before: int | None = 0
    seen: list[int] = []
    while before is not None:
        page = log.latest("a", before, limit)
        assert len(page.rows) <= limit
        seen += [row.id for row in page.rows]
        before = page.next
    assert seen[::-1] == [number for number, name in enumerate(names, 1) if name == "a"]
