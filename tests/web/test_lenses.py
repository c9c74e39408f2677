"""Somebody holds a code to cameras, and takes it away again."""

import asyncio

import pytest

from firmware_sim.errors import UsageError
from fleet.run.watch import REMOVED, Watch
from fleet.web.lenses import CAMERAS_AT_ONCE_MAX, Lenses
from tests.web.bench_world import FakeHands, cameras, population, waits, watch

pytestmark = pytest.mark.anyio

FIRST, SECOND, THIRD = cameras()[:3]


def make(hold_s: float = 60.0) -> tuple[Lenses, FakeHands, Watch]:
    hands, eyes = FakeHands(), watch()
    return Lenses(population, hands, eyes, hold_s), hands, eyes


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_cameras_that_look_for_a_code_come_first() -> None:
    lenses, _, eyes = make()
    waits(eyes, FIRST, operator="unbound")
    waits(eyes, THIRD)
    eyes.gone([SECOND.index], 2, REMOVED)
    listed = lenses.cameras()
    assert [one.uuid for one in listed[:2]] == [THIRD.uuid, FIRST.uuid]
    assert [(one.reading, one.ready) for one in listed[:3]] == [
        ("waiting", True),
        ("unbound", True),
        ("", False),
    ]
    assert len(listed) == len(cameras()) - 1


async def test_a_code_is_taken_away_from_a_lens_that_has_read_it() -> None:
    lenses, hands, eyes = make()
    waits(eyes, FIRST, SECOND)
    async with lenses.life():
        assert lenses.hold([FIRST.uuid, SECOND.uuid, THIRD.uuid], b"code", "batch") == 2
        assert hands.seen == {FIRST.index: b"code", SECOND.index: b"code"}
        assert eyes.batches == {FIRST.index: "batch", SECOND.index: "batch"}
        assert hands.purposes == [((FIRST.index, SECOND.index), "unbind")]
        await settle()
        waits(eyes, FIRST, lifecycle="JOINING")
        await settle()
        assert hands.seen == {FIRST.index: None, SECOND.index: b"code"}
    assert hands.seen == {FIRST.index: None, SECOND.index: None}


async def test_those_who_are_sent_a_token_are_in_its_batch() -> None:
    lenses, _, eyes = make()
    lenses.begin_batch("batch", [THIRD.uuid, "nobody"])
    assert eyes.batches == {THIRD.index: "batch"}


async def test_an_arm_gets_tired() -> None:
    lenses, hands, eyes = make(hold_s=0)
    waits(eyes, FIRST)
    async with lenses.life():
        lenses.hold([FIRST.uuid], b"code", "batch")
        await asyncio.sleep(0.01)
        assert hands.seen == {FIRST.index: None}


async def test_another_code_takes_the_place_of_the_first() -> None:
    lenses, hands, eyes = make()
    waits(eyes, FIRST)
    async with lenses.life():
        lenses.hold([FIRST.uuid], b"one", "batch")
        await settle()
        lenses.hold([FIRST.uuid], b"two", "batch")
        await settle()
        assert hands.seen == {FIRST.index: b"two"}
        waits(eyes, FIRST, lifecycle="JOINING")
        await settle()
        assert hands.seen == {FIRST.index: None}


async def test_what_cannot_be_held_to() -> None:
    lenses, hands, _ = make()
    with pytest.raises(UsageError, match="reset button"):
        lenses.hold([FIRST.uuid, "nobody"], b"code", "batch")
    with pytest.raises(UsageError, match="at most"):
        lenses.hold([str(n) for n in range(CAMERAS_AT_ONCE_MAX + 1)], b"code", "batch")
    assert hands.seen == {}


async def test_a_code_that_was_just_shown_goes_with_the_pages() -> None:
    lenses, hands, eyes = make()
    waits(eyes, FIRST)
    async with lenses.life():
        lenses.hold([FIRST.uuid], b"code", "batch")
    assert hands.seen == {FIRST.index: None}
