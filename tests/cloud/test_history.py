"""History and device log: who sees which rows, what counts as the same refusal, and the bounds."""

import msgspec
import pytest

from fleet.cloud.history import DeviceEvent, HistoryRow, Operation, Status, Unbound
from fleet.cloud.reasons import Reason

from .support import CAMERA, DAY_MS, OWNER, REPAIR, SETTINGS, STRANGER, World, assert_reloads


def unbound(world: World, uuid: str = "uuid0000", reason: Reason | None = None) -> None:
    world.rule(
        lambda s: s.record(
            Operation.UNBIND,
            uuid,
            world.now_ms,
            account=REPAIR,
            method="qr",
            batch="b1",
            reason=reason,
        )
    )


def rows(world: World, viewer: str = OWNER) -> list[HistoryRow]:
    return world.state.history.page(viewer).rows


def test_an_operation_is_seen_by_who_did_it_and_whose_product_it_was() -> None:
    world = World()
    unbound(world)
    assert len(rows(world, REPAIR)) == len(rows(world, OWNER)) == 1
    assert rows(world, STRANGER) == []


def test_what_consumers_do_is_seen_by_the_products_owner_only() -> None:
    world = World()
    for operation in (Operation.BIND, Operation.REMOVE):
        world.rule(lambda s, o=operation: s.record(o, "uuid0000", world.now_ms, account=REPAIR))
    assert len(rows(world, OWNER)) == 2
    assert rows(world, REPAIR) == [], "a consumer who is named like an account is not one"


def test_selecting_by_batch_and_status() -> None:
    world = World()
    unbound(world)
    unbound(world, reason=Reason.TOKEN_FULL)
    history = world.state.history
    assert len(history.page(REPAIR, batch="b1").rows) == 2
    assert history.page(REPAIR, batch="b2").rows == []
    (row,) = history.page(REPAIR, status="refused").rows
    assert row.reason == "token_full"


def test_the_same_refusal_is_one_row_until_an_operation_succeeds() -> None:
    world = World()
    full, dead = Reason.TOKEN_FULL, Reason.TOKEN_DEAD
    story = [full, full, dead, dead, full, None, full, full]
    for reason in story:
        unbound(world, reason=reason)
    unbound(world, "uuid0001", reason=full)
    world.now_ms += DAY_MS
    unbound(world, "uuid0001", reason=full)
    found = [(row.uuid[-1], row.reason, row.tries) for row in rows(world)]
    assert found == [
        ("0", "token_full", 3),
        ("0", "token_dead", 2),
        ("0", "", 1),
        ("0", "token_full", 2),
        ("1", "token_full", 1),
        ("1", "token_full", 1),
    ]
    assert_reloads(world)


def test_history_is_bounded_in_memory_and_store() -> None:
    world = World(msgspec.structs.replace(SETTINGS, history_rows_max=3))
    for _ in range(5):
        unbound(world)
    assert [row.id for row in rows(world)] == [3, 4, 5]
    assert [row.id for row in world.store.load(HistoryRow)] == [3, 4, 5]
    unbound(world, reason=Reason.TOKEN_FULL)
    for _ in range(3):
        unbound(world, "uuid0001")
    unbound(world, reason=Reason.TOKEN_FULL)
    assert rows(world)[-1].tries == 1, "a row that is gone is not counted on"
    assert_reloads(world)


def test_a_device_that_alternates_between_refusals_pushes_nothing_out() -> None:
    world = World(msgspec.structs.replace(SETTINGS, history_rows_max=4))
    unbound(world, "uuid0001")
    for _ in range(10):
        unbound(world, reason=Reason.TOKEN_FULL)
        unbound(world, reason=Reason.TOKEN_DEAD)
    assert [(row.reason, row.tries) for row in rows(world)] == [
        ("", 1),
        ("token_full", 10),
        ("token_dead", 10),
    ]
    assert_reloads(world)


def test_counting_what_was_unbound() -> None:
    world = World()
    unbound(world)
    unbound(world, "uuid0001")
    unbound(world, reason=Reason.TOKEN_FULL)
    world.rule(lambda s: s.record(Operation.BIND, "uuid0000", world.now_ms, account="uid0"))
    world.now_ms += DAY_MS
    unbound(world)
    assert world.state.history.unbound() == [
        Unbound(REPAIR, CAMERA, "2023-11-14", 2),
        Unbound(REPAIR, CAMERA, "2023-11-15", 1),
    ]


def test_a_developer_sees_what_its_programs_deleted_on_products_of_others() -> None:
    world = World()
    world.rule(lambda s: s.record(Operation.DELETE, "uuid0000", world.now_ms, account=REPAIR))
    world.rule(lambda s: s.record(Operation.REMOVE, "uuid0000", world.now_ms, account=REPAIR))
    for account, operations in ((OWNER, ["delete", "remove"]), (REPAIR, ["delete"])):
        page = world.state.history.page(account)
        assert [row.operation for row in page.rows] == operations


def test_a_row_says_how_it_ended() -> None:
    world = World()
    unbound(world)
    unbound(world, reason=Reason.NOT_BOUND)
    assert [(row.status, row.reason) for row in rows(world)] == [
        (Status.OK, ""),
        (Status.REFUSED, "not_bound"),
    ]


def test_a_device_log_can_be_had_as_a_whole() -> None:
    world = World(
        msgspec.structs.replace(SETTINGS, page_rows_max=1, device_log_rows_per_device_max=2)
    )
    for number in range(3):
        world.rule(lambda s, n=number: s.device_log.add("uuid0000", DeviceEvent.ONLINE, n))
    assert [row.time_ms for row in world.state.device_log.of("uuid0000")] == [1, 2]
    assert world.state.device_log.of("nosuch") == []


@pytest.mark.parametrize("limit", [0, 1, 7])
def test_device_log_pages(limit: int) -> None:
    world = World(
        msgspec.structs.replace(SETTINGS, page_rows_max=2, device_log_rows_per_device_max=3)
    )
    for number in range(5):
        world.rule(lambda s, n=number: s.device_log.add("uuid0000", DeviceEvent.ONLINE, n, f"{n}"))
    page = world.state.device_log.page("uuid0000", limit=limit)
    assert [row.detail for row in page.rows] == ["2", "3"][: limit or 2]
    rest = world.state.device_log.page("uuid0000", after=page.next or 0)
    assert rest.rows[-1].detail == "4"
    assert_reloads(world)
