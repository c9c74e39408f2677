"""Which announcements make a device selectable, and what withdraws it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire import lan_frame
from firmware_sim.wire.discovery import Announcement, encode_announcement
from firmware_sim.wire.lan_frame import Command, Frame
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.provisioning import TokenForm
from fleet.app.finder import FOUND_MAX, Finder, Found, Heard
from fleet.app.lan_client import LanSearch

WAITING = Announcement(
    ip="127.0.0.9",
    gw_id="uuid0000000000000009",
    active=0,
    ablilty=0,
    encrypt=True,
    product_key="keyfake000000001",
    version="3.3",
    token=True,
    wf_cfg=False,
)
DEVICE = Found("uuid0000000000000009", "127.0.0.9", "keyfake000000001", "3.3", "127.0.0.9")


def heard(finder: Finder, source_ip: str = "127.0.0.9", **changes: Any) -> Found | None:
    announcement = msgspec.structs.replace(WAITING, **changes)
    return finder.take(encode_announcement(announcement, bytes(12)), source_ip)


@pytest.mark.parametrize("version", list(LanVersion))
def test_a_waiting_wired_device_is_found_once(version: LanVersion) -> None:
    finder = Finder()
    found = heard(finder, version=version)
    assert found == msgspec.structs.replace(DEVICE, version=version)
    assert found is not None
    assert not found.foreign_source
    assert heard(finder, version=version) is None
    assert finder.found == (found,)
    assert list(finder.found_uuids) == [found.uuid]


def test_the_version_decides_how_the_token_is_to_be_wrapped() -> None:
    old, new = heard(Finder(), version="3.1"), heard(Finder(), version="3.5")
    assert old is not None
    assert new is not None
    assert (old.form(), new.form()) == (TokenForm.PLAIN, TokenForm.ECB)
    assert (old.form(TokenForm.GCM), new.form(TokenForm.GCM)) == (TokenForm.PLAIN, TokenForm.GCM)


def test_devices_of_another_lan_on_the_same_host_are_not_heard() -> None:
    finder = Finder(network="127.16.0.0/16")
    assert heard(finder, "127.17.0.9") is None
    assert heard(finder, "127.16.0.9") is not None


def test_a_phone_may_belong_to_several_networks() -> None:
    finder = Finder(network="127.16.0.0/16 192.168.7.0/24")
    assert heard(finder, "127.17.0.9") is None
    assert heard(finder, "192.168.7.20") is not None
    assert heard(Finder(network="127.16.0.0/16 0.0.0.0/0"), "10.1.1.1") is not None


@pytest.mark.parametrize("changes", [{"active": 2}, {"token": False}, {"token": None}])
def test_other_devices_are_not_offered(changes: dict[str, Any]) -> None:
    finder = Finder()
    assert heard(finder, **changes) is None
    assert finder.found == ()


def test_an_activated_device_is_withdrawn() -> None:
    finder = Finder()
    heard(finder)
    heard(finder, active=2, gw_id="dev1")
    assert finder.found == ()
    assert heard(finder) == DEVICE


def test_a_device_with_a_new_address_moves() -> None:
    finder = Finder()
    heard(finder)
    moved = heard(finder, "127.0.0.8", ip="127.0.0.8")
    assert moved == msgspec.structs.replace(DEVICE, ip="127.0.0.8", source_ip="127.0.0.8")
    assert finder.found == (moved,)
    heard(finder, active=2)  # its old address belongs to nobody now
    assert finder.found == (moved,)


def test_a_new_device_at_a_known_address_replaces_the_old_one() -> None:
    finder = Finder()
    heard(finder)
    newer = heard(finder, gw_id="other")
    assert finder.found == (newer,)


def test_a_foreign_source_is_noted() -> None:
    found = heard(Finder(), "127.0.0.7")
    assert found is not None
    assert found.foreign_source
    assert found.source_ip == "127.0.0.7"


def test_a_flood_is_bounded() -> None:
    finder = Finder(found_max=2)
    for number in range(5):
        heard(finder, ip=f"127.0.1.{number}", gw_id=f"u{number}")
    assert len(finder.found) == 2
    assert finder.dropped == 3
    assert heard(finder, "127.0.9.9", ip="127.0.9.9", gw_id="u0") is not None


def test_who_says_the_same_again_is_back_where_another_took_its_place() -> None:
    finder = Finder()
    assert heard(finder) == DEVICE
    assert heard(finder, "127.0.0.7", gw_id="other") is not None  # at the same address
    assert heard(finder) == DEVICE
    assert finder.found == (DEVICE,)


def test_devices_are_selected_in_the_order_in_which_they_are_named() -> None:
    finder = Finder()
    for number in range(4):
        heard(finder, f"127.0.1.{number}", ip=f"127.0.1.{number}", gw_id=f"u{number}")
    assert [found.uuid for found in finder.select(["u3", "nobody", "u0"])] == ["u3", "u0"]


def test_a_search_has_room_for_as_many_as_it_is_told() -> None:
    finder = LanSearch(found_max=FOUND_MAX + 1).finder
    for number in range(FOUND_MAX + 1):
        ip = f"127.1.{number >> 8}.{number & 255}"
        heard(finder, ip, ip=ip, gw_id=f"u{number}")
    assert len(finder.found) == FOUND_MAX + 1
    assert finder.dropped == 0


# --- everybody ----------------------------------------------------------------------------------


def test_all_devices_are_heard_whatever_their_state() -> None:
    finder = Finder()
    heard(finder)
    heard(finder, "127.0.0.7", ip="127.0.0.7", gw_id="dev7", active=2, token=None, version="3.5")
    waiting, working = finder.heard
    assert waiting == Heard(
        "uuid0000000000000009", "127.0.0.9", "3.3", 0, "keyfake000000001", True, "127.0.0.9"
    )
    assert waiting.awaits_token
    assert (working.id, working.version, working.active) == ("dev7", "3.5", 2)
    assert not working.awaits_token
    assert finder.found == (DEVICE,)


def test_who_is_activated_is_heard_under_its_new_id_only() -> None:
    finder = Finder()
    heard(finder)
    heard(finder, active=2, gw_id="dev1")
    assert [device.id for device in finder.heard] == ["dev1"]
    heard(finder)
    assert [device.id for device in finder.heard] == ["uuid0000000000000009"]


def test_a_device_with_a_new_address_is_heard_there_only() -> None:
    finder = Finder()
    heard(finder, active=2)
    heard(finder, "127.0.0.8", ip="127.0.0.8", active=2)
    assert [device.ip for device in finder.heard] == ["127.0.0.8"]


def test_a_flood_of_working_devices_leaves_room_for_those_that_wait() -> None:
    finder = Finder(found_max=2, heard_max=3)
    for number in range(5):
        heard(finder, ip=f"127.0.1.{number}", gw_id=f"d{number}", active=2)
    assert len(finder.heard) == 3
    assert finder.dropped == 2
    assert heard(finder) == DEVICE


# --- bad input ----------------------------------------------------------------------------------


def test_an_address_must_be_one() -> None:
    finder = Finder()
    assert heard(finder, ip="evil.example") is None
    assert finder.unreadable == 1


@pytest.mark.parametrize("field", ["gw_id", "product_key", "version"])
@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b31m", "two\nlines", "\u202egnp", "x" * 65])
def test_what_a_stranger_calls_itself_cannot_harm_a_screen(field: str, text: str) -> None:
    said = msgspec.to_builtins(WAITING, str_keys=True)
    name = {"gw_id": "gwId", "product_key": "productKey"}.get(field, field)
    frame = Frame(0, Command.UDP_PLAIN, msgspec.json.encode(said | {name: text}), 0)
    finder = Finder()
    assert finder.take(lan_frame.encode(frame), "127.0.0.9") is None
    assert (finder.heard, finder.unreadable) == ((), 1)


def test_a_device_without_an_id_is_none() -> None:
    finder = Finder()
    assert heard(finder, gw_id="") is None
    assert (finder.heard, finder.unreadable) == ((), 1)


@pytest.mark.parametrize("size", range(len(encode_announcement(WAITING))))
def test_a_cut_announcement_is_counted_not_raised(size: int) -> None:
    finder = Finder()
    assert finder.take(encode_announcement(WAITING)[:size], "127.0.0.9") is None
    assert finder.unreadable == 1


@given(st.binary(max_size=128))
def test_garbage_is_counted_not_raised(datagram: bytes) -> None:
    finder = Finder()
    assert finder.take(datagram, "127.0.0.9") is None
    assert finder.unreadable == 1
