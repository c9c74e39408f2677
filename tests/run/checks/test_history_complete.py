"""No row is missing, in disorder, or changed, and each new owner has one."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fleet.cloud.devices import Device
from fleet.cloud.history import History, HistoryRow
from fleet.cloud.state import State
from fleet.cloud.store.records import Delete, Put, Record
from fleet.run.checks import history_complete
from fleet.run.checks.evidence import Evidence
from fleet.run.messages import Heard
from tests.run.checks.evidence import KEPT, changed, good, row, with_rows
from tests.run.checks.support import a_scene, planted, says


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        (
            "refused for token_full, the history has no such row",
            lambda e: changed(e, history=e.history[1:]),
        ),
        ("row 100: follows row 8", lambda e: with_rows(e, row(100, KEPT.uuid))),
        ("row 9: is older than row 8", lambda e: with_rows(e, row(9, KEPT.uuid, time_ms=7))),
    ],
)
def test_it_can_fail_at_the_end(text: str, damage: Callable[[Evidence], Evidence]) -> None:
    assert list(history_complete.at_end(good())) == []
    found = list(history_complete.at_end(damage(good())))
    assert any(text in line for line in found), found


@pytest.mark.parametrize("code", ["STALE_TIME", "REPLAYED", "TRY_AGAIN", "GATEWAY_NOT_EXISTS"])
def test_strangers_leave_no_row_and_a_release_has_one(code: str) -> None:
    evidence = good()
    evidence.heard[KEPT.index].append(Heard(KEPT.index, 0, "activation_refused", code))
    assert list(history_complete.at_end(evidence)) == []


def test_a_refusal_has_the_time_of_its_last_try() -> None:
    again = row(9, KEPT.uuid, time_ms=500, tries=2, status="refused")
    evidence = with_rows(good(), again, row(10, KEPT.uuid, time_ms=10))
    assert list(history_complete.at_end(evidence)) == []


# --- all the while ------------------------------------------------------------------------------

DEVICE = Device("u1", "k" * 32, "p", owner="a")
UNBIND = HistoryRow(
    id=1, time_ms=5, day="", account="me", owner="maker", operation="unbind", method="qr",
    batch="", uuid="u1", dev_id="", product_id="p", status="ok", reason="",
)  # fmt: skip
REFUSED = msgspec.structs.replace(UNBIND, status="refused", reason="token_full")


def of(record: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(record, **changes)


def bind(number: int, owner: str, **changes: Any) -> HistoryRow:
    row: HistoryRow = of(UNBIND, id=number, operation="bind", account=owner, **changes)
    return row


def found(*transactions: tuple[Record, ...], **settings: Any) -> list[str]:
    scene = a_scene(**settings)
    scene.books.closed.append(history_complete.Watcher(scene).written)
    scene.books.take((Put(DEVICE),))
    for records in transactions:
        scene.books.take(tuple(map(Put, records)))
    return scene.findings.lines()


@pytest.mark.parametrize(
    "transactions",
    [
        ((of(DEVICE, owner=""), UNBIND),),
        ((UNBIND, of(DEVICE, owner="")), (of(DEVICE, owner="b"), bind(2, "b"))),
        ((UNBIND, of(DEVICE, owner=""), of(DEVICE, owner="b"), bind(2, "b")),),
        ((bind(1, "a"), DEVICE),),
        ((REFUSED,), (of(REFUSED, tries=2, time_ms=9),), (of(UNBIND, id=2), of(DEVICE, owner=""))),
        ((of(DEVICE, owner="b", gateway="g"),),),
        ((of(UNBIND, uuid="nobody's"),),),
    ],
)
def test_what_is_complete_is_no_violation(transactions: tuple[tuple[Record, ...], ...]) -> None:
    assert found(*transactions) == []


@pytest.mark.parametrize(
    ("text", "transactions"),
    [
        ("u1: went to nobody, by its rows to nobody else", ((of(DEVICE, owner=""),),)),
        ("u1: went to nobody else, by its rows to nobody,", ((UNBIND,),)),
        ("u1: went to b, by its rows to c", ((of(DEVICE, owner="b"), bind(1, "c")),)),
        ("u1: went to nobody, by", ((of(DEVICE, owner=""),), (UNBIND,))),
        ("row 2: follows row 0", ((of(REFUSED, id=2),),)),
        ("row 2: is older than row 1", ((REFUSED,), (of(REFUSED, id=2, time_ms=4),))),
        ("row 1: was changed", ((REFUSED,), (of(REFUSED, tries=3),))),
        ("row 1: was changed", ((REFUSED,), (of(REFUSED, tries=2, account="you"),))),
        ("row 1: was changed", ((REFUSED,), (of(REFUSED, tries=2, time_ms=1),))),
        ("row 1: was changed", ((UNBIND, of(DEVICE, owner="")), (of(UNBIND, tries=2),))),
    ],
)
def test_what_is_not_is_one(text: str, transactions: tuple[tuple[Record, ...], ...]) -> None:
    lines = found(*transactions)
    assert any(text in line for line in lines), lines


@pytest.mark.parametrize(("rows_max", "count"), [(2, 1), (1, 0)])
def test_rows_go_only_when_there_are_too_many(rows_max: int, count: int) -> None:
    scene = a_scene(history_rows_max=rows_max)
    history_complete.Watcher(scene)
    scene.books.take((Put(REFUSED), Put(of(REFUSED, id=2)), Delete(HistoryRow, (1,))))
    assert len(scene.findings.lines()) == count


# --- planted defects ----------------------------------------------------------------------------


def forgets(test: Callable[..., bool]) -> Callable[[pytest.MonkeyPatch], None]:
    """Return a defect: no row of operations of which that is true."""
    record = State.record

    def forget(self: State, operation: str, uuid: str, now_ms: int, **changes: Any) -> None:
        if not test(operation, **changes):
            record(self, operation, uuid, now_ms, **changes)  # type: ignore[arg-type]

    return lambda patch: patch.setattr(State, "record", forget)


def test_a_cloud_that_does_not_record_refusals_is_caught() -> None:
    found = planted(forgets(lambda _, **changes: changes.get("reason") is not None))
    assert says(found, "history_complete", "was refused for token_dead, the history has no such")


def test_one_that_does_not_record_who_has_bound_a_device_is_caught() -> None:
    found = planted(forgets(lambda operation, **_: operation == "bind"))
    assert says(found, "history_complete", ", by its rows to nobody else, at ")


def test_one_that_gives_a_number_twice_is_caught() -> None:
    add = History.add

    def plant(patch: pytest.MonkeyPatch) -> None:
        def count_anew(self: History, row: HistoryRow) -> HistoryRow:
            self._log.next_id = min(self._log.next_id, 5)
            return add(self, row)

        patch.setattr(History, "add", count_anew)

    assert says(planted(plant), "history_complete", "row 5: was changed, at ")
