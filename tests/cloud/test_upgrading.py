"""Firmware that is ordered, loaded and run: what orders, log and programs are told."""

import json
from typing import Any

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud import upgrading
from fleet.cloud.devices import Device
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.seed import FirmwareSeed
from fleet.cloud.upgrades import Firmware

from .support import CAMERA, PLUG, World, assert_reloads, seed

NEW = Firmware(CAMERA, 0, "2.0.0", 5_000, "")


class Case(World):
    """A world in which there is a new version, and the first device runs an older one."""

    def __init__(self) -> None:
        super().__init__()
        self.rule(upgrading.add, NEW)
        self.rule(lambda s: s.devices.note_version(self.device, 0, "1.0.0"))

    @property
    def device(self) -> Device:
        found = self.state.devices.get("uuid0000")
        assert found is not None
        return found

    def do(self, rule: Any, *args: Any) -> Any:
        return self.rule(rule, self.device, *args)

    def order(self) -> Any:
        return self.do(upgrading.order, 0, "2.0.0", self.now_ms)

    def orders(self) -> list[tuple[str, int, int]]:
        kept = self.state.upgrades.orders("uuid0000")
        return [(order.version, order.status, order.percent) for order in kept]

    def pushed(self) -> list[tuple[int, int]]:
        told = [json.loads(push.data) for push in self.pushes]
        return [(data["moduleType"], data["upgradeStatus"]) for data in told]


def test_a_version_without_an_address_has_the_md5_of_what_is_made_up() -> None:
    kept = Case().state.upgrades.find(CAMERA, 0, "2.0.0")
    assert kept is not None
    assert len(kept.md5) == 32
    offer = upgrading.offer_of(kept)
    assert offer.url == offer.https_url == "https://firmware.invalid/camera0000000001/0/2.0.0"
    assert (offer.size, offer.md5, offer.type) == ("5000", kept.md5, 0)


def test_what_is_refused_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The MD5 of a large one does: whoever repeats the request is not to hold everybody up."""
    world = Case()
    monkeypatch.setattr("fleet.cloud.firmware_image.md5_of", None)
    refusal = world.rule(upgrading.add, NEW)
    assert refusal.reason is Reason.NAME_TAKEN


def test_a_version_with_an_address_keeps_it() -> None:
    world = Case()
    given = msgspec.structs.replace(
        NEW, version="3", md5="0" * 32, hmac="1" * 64, url="http://a.test/x"
    )
    world.rule(upgrading.add, given)
    offer = upgrading.offer_of(given)
    assert (offer.url, offer.https_url, offer.hmac) == (
        "http://a.test/x",
        "http://a.test/x",
        "1" * 64,
    )
    there = msgspec.structs.replace(given, https_url="https://a.test/x")
    assert upgrading.offer_of(there).https_url == "https://a.test/x"


@pytest.mark.parametrize("half", [{"url": "http://a.test/x"}, {"md5": "0" * 32}])
def test_an_address_without_md5_or_the_other_way_round(half: dict[str, str]) -> None:
    refusal = Case().rule(upgrading.add, msgspec.structs.replace(NEW, version="3", **half))
    assert isinstance(refusal, Refused)
    assert refusal.reason is Reason.BAD_REQUEST


def test_an_order_is_for_who_is_bound_and_for_what_there_is() -> None:
    world = Case()
    assert world.order().version == "2.0.0"
    assert world.log("uuid0000") == ["upgrade_ordered"]
    assert world.do(upgrading.order, 0, "9", 1).reason is Reason.NOT_FOUND
    assert world.do(upgrading.order, 9, "2.0.0", 1).reason is Reason.NOT_FOUND
    nobodys = msgspec.structs.replace(world.device, owner="")
    assert world.rule(upgrading.order, nobodys, 0, "2.0.0", 1).reason is Reason.NOT_BOUND
    assert_reloads(world)


def test_from_the_order_to_the_new_version() -> None:
    world = Case()
    world.order()
    world.do(upgrading.take_status, 0, 2, world.now_ms)
    world.do(upgrading.take_progress, 0, 40)
    assert world.orders() == [("2.0.0", 2, 40)]
    world.do(upgrading.take_status, 0, 3, world.now_ms)
    assert world.orders() == [("2.0.0", 3, 100)]
    world.do(upgrading.take_version, 0, "2.0.0", world.now_ms)
    assert world.orders() == []
    assert world.log("uuid0000") == ["upgrade_ordered", "upgraded"]
    assert world.pushed() == [(0, 2), (0, 3)], "each once"
    assert world.device.software == "2.0.0"
    assert_reloads(world)


def test_progress_without_a_status_is_one() -> None:
    world = Case()
    world.order()
    world.do(upgrading.take_progress, 0, 10)
    assert world.orders() == [("2.0.0", 2, 10)]
    world.do(upgrading.take_progress, 3, 10)
    assert world.orders() == [("2.0.0", 2, 10)]


@pytest.mark.parametrize("status", [4, 40, 45, 49])
def test_a_failure_ends_the_order_and_stays_to_be_seen(status: int) -> None:
    world = Case()
    world.order()
    world.do(upgrading.take_status, 0, status, world.now_ms)
    world.do(upgrading.take_progress, 0, 50)
    world.do(upgrading.take_status, 0, 2, world.now_ms)
    assert world.orders() == [("2.0.0", status, 0)]
    (_, row) = world.state.device_log.of("uuid0000")
    assert (row.event, row.detail) == ("upgrade_failed", f"channel 0 to 2.0.0: status {status}")
    assert world.state.upgrades.ordered(world.device, 0) is None
    assert world.pushed() == [(0, status), (0, 2)], "developers are told what it says"


def test_who_says_that_it_has_finished_and_runs_the_old_one_has_failed() -> None:
    world = Case()
    world.order()
    world.do(upgrading.take_status, 0, 3, world.now_ms)
    world.do(upgrading.take_version, 0, "1.0.0", world.now_ms)
    assert world.orders() == [("2.0.0", 4, 100)]
    assert world.log("uuid0000") == ["upgrade_ordered", "upgrade_failed"]


def test_a_new_version_that_nobody_ordered_is_told_as_well() -> None:
    world = Case()
    world.do(upgrading.take_version, 0, "1.5.0", world.now_ms)
    world.do(upgrading.take_version, 9, "0.1", world.now_ms)
    world.do(upgrading.take_version, 9, "0.2", world.now_ms)
    assert world.log("uuid0000") == ["upgraded", "upgraded"]
    assert world.pushed() == [(0, 3), (9, 3)]
    assert world.device.modules == ((9, "0.2"),)
    assert_reloads(world)


def test_what_a_device_declares_itself_to_be() -> None:
    world = Case()
    for declared, known in (("2.3", "2.3"), ("9.9", "2.3"), ("", "2.3"), ("2.1", "2.1")):
        world.do(upgrading.take_generation, declared)
        assert world.device.generation == known
    assert_reloads(world)


def test_pieces_of_what_is_made_up_and_of_nothing_else() -> None:
    world = Case()
    url = "https://firmware.invalid/camera0000000001/0/2.0.0"
    assert len(world.do(upgrading.piece_of, url, 4_000, 4_999)) == 1_000
    assert world.do(upgrading.piece_of, url, 4_000, 5_000).reason is Reason.BAD_REQUEST
    assert world.do(upgrading.piece_of, "http://a.test/x", 0, 9).reason is Reason.NOT_FOUND
    foreign = msgspec.structs.replace(world.device, product_id=PLUG)
    assert world.rule(upgrading.piece_of, foreign, url, 0, 9).reason is Reason.NOT_FOUND


# --- planted ------------------------------------------------------------------------------------


def test_a_cloud_may_begin_with_versions() -> None:
    start = seed()
    planted = FirmwareSeed(product_id=CAMERA, version="1.1", size=9, silent=True)
    device = msgspec.structs.replace(start.devices[0], generation="2.3")
    world = World(
        start=msgspec.structs.replace(
            start, firmware=(planted,), devices=(device, *start.devices[1:])
        )
    )
    (kept,) = world.state.upgrades.versions(CAMERA)
    assert (kept.version, kept.silent, kept.added_ms) == ("1.1", True, world.now_ms)
    found = world.state.devices.get("uuid0000")
    assert found is not None
    assert found.generation == "2.3"
    assert_reloads(world)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (FirmwareSeed(product_id="nosuch", version="1", size=1), "there is no product nosuch"),
        (FirmwareSeed(product_id=CAMERA, version="1", size=1, md5="0" * 32), "give url and md5"),
        (FirmwareSeed(product_id=CAMERA, version="1", size=0), "size"),
    ],
)
def test_versions_that_cannot_be(entry: FirmwareSeed, complaint: str) -> None:
    start = msgspec.structs.replace(seed(), firmware=(entry,))
    with pytest.raises(UsageError, match=rf"firmware\[0\].*{complaint}"):
        World(start=start)
