"""Joins, cables and sites, without a world around them, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from firmware_sim.effects import JoinWifi, LeaveWifi
from firmware_sim.errors import UsageError
from firmware_sim.events import JoinRefusal, LinkDown, LinkUp, WifiJoined, WifiRefused
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.attachment import LINK_MS, Attachment
from firmware_sim.runtime.faults import CablePulled, DhcpLate, WifiGone
from tests.runtime.test_place import House, a_place
from tests.runtime.virtual.support import play as in_virtual_time

JOIN = JoinWifi("anna", "annas wifi")
Scene = Callable[[Attachment, House], Coroutine[None, None, None]]


def play(scene: Scene) -> None:
    async def run() -> None:
        sites = {"home": AccessPoint({"anna": "annas wifi"}, 5), "field": AccessPoint({}, 5)}
        await scene(Attachment(sites), House())

    in_virtual_time(run)


async def told(house: House, count: int) -> None:
    async with asyncio.timeout(10):
        while len(house.told) < count:
            await asyncio.sleep(0.001)


def test_a_station_is_let_in_or_not() -> None:
    async def scene(networks: Attachment, house: House) -> None:
        place = a_place(house, "ipc-red-green")
        for faults, wish in (
            ((), JoinWifi("anna", "wrong")),
            ((WifiGone(1000),), JOIN),
            ((CablePulled(1000),), JOIN),
        ):
            place.faults = faults
            networks.join(place, wish)
            await told(house, 1)
            house.told, heard = [], house.told
            assert place.linked == (heard == [WifiJoined(place.ip)])
            assert place.linked or heard[0] in (
                WifiRefused(JoinRefusal.WRONG_PASSWORD),
                WifiRefused(JoinRefusal.NO_SUCH_NETWORK),
            )
        assert place.linked
        networks.leave(place, LeaveWifi())
        assert not place.linked

    play(scene)


def test_a_new_wish_takes_the_place_of_the_old() -> None:
    async def scene(networks: Attachment, house: House) -> None:
        place = a_place(house, "ipc-red-green")
        networks.join(place, JoinWifi("anna", "wrong"))
        networks.join(place, JOIN)
        await told(house, 1)
        networks.join(place, JOIN)
        networks.leave(place, LeaveWifi())
        await asyncio.sleep(0.02)
        assert house.told == [WifiJoined(place.ip)]

    play(scene)


def test_a_late_address_makes_a_network_late() -> None:
    async def scene(networks: Attachment, house: House) -> None:
        place = a_place(house)
        place.powered = True
        place.faults = (DhcpLate(1000, 60),)
        networks.link_later(place)
        await asyncio.sleep((LINK_MS + 59) / 1000)
        assert house.told == []
        await asyncio.sleep(0.001)
        assert house.told == [LinkUp(place.ip)]

    play(scene)


def test_a_link_takes_power_a_cable_and_no_fault() -> None:
    async def scene(networks: Attachment, house: House) -> None:
        place = a_place(house)
        networks.link_later(place)
        assert place.joining is None, "no power"
        place.powered = True
        networks.plug(place, connected=False)
        networks.link_later(place)
        assert place.joining is None, "no cable"
        place.faults = (CablePulled(1000),)
        networks.plug(place, connected=True)
        assert place.joining is None, "the other end is out"
        place.faults = ()
        networks.link_later(place)
        await told(house, 2)
        networks.plug(place, connected=True)
        networks.link_later(place)
        assert place.joining is None, "there already"
        assert house.told == [LinkDown(), LinkUp(place.ip)]

    play(scene)


def test_a_camera_has_no_socket_for_a_cable() -> None:
    async def scene(networks: Attachment, house: House) -> None:
        place = a_place(house, "ipc-red-green")
        networks.plug(place, connected=True)
        assert not place.plugged

    play(scene)


def test_who_is_carried_away_loses_the_network() -> None:
    async def scene(networks: Attachment, house: House) -> None:
        place = a_place(house)
        networks.move(place, "field")
        assert (place.site, house.told) == ("field", [])
        place.powered = place.linked = True
        networks.move(place, "home")
        assert house.told == [LinkDown()]
        with pytest.raises(UsageError, match="no site 'moon'; allowed: home, field"):
            networks.move(place, "moon")
        assert place.site == "home"

    play(scene)


def test_an_access_point_is_switched_off_for_all_who_are_there() -> None:
    async def scene(networks: Attachment, house: House) -> None:
        camera, wired, elsewhere = (
            a_place(house, profile) for profile in ("ipc-red-green", "nvr", "ipc-red-green")
        )
        elsewhere.site = "field"
        for place in (camera, wired, elsewhere):
            place.linked = True
        networks.switch_air("home", (camera, wired, elsewhere), on=False)
        assert house.told == [LinkDown()], "the camera at home"
        camera.linked = False
        house.told.clear()
        networks.join(camera, JOIN)
        await told(house, 1)
        networks.switch_air("home", (camera, wired, elsewhere), on=True)
        networks.join(camera, JOIN)
        await told(house, 2)
        assert house.told == [WifiRefused(JoinRefusal.NO_SUCH_NETWORK), WifiJoined(camera.ip)]
        with pytest.raises(UsageError, match="no site 'moon'"):
            networks.switch_air("moon", (), on=True)

    play(scene)


def test_a_camera_is_brought_out_of_reach_and_back() -> None:
    async def scene(networks: Attachment, house: House) -> None:
        camera, wired = a_place(house, "ipc-red-green"), a_place(house, "nvr")
        camera.linked = wired.linked = True
        for place in (camera, camera, wired):
            networks.bring(place, in_reach=False)
        assert house.told == [LinkDown()], "once, and not what has a cable"
        camera.linked = False
        networks.join(camera, JOIN)
        await told(house, 2)
        networks.bring(camera, in_reach=True)
        networks.join(camera, JOIN)
        await told(house, 3)
        assert house.told[1:] == [
            WifiRefused(JoinRefusal.NO_SUCH_NETWORK),
            WifiJoined(camera.ip),
        ]

    play(scene)
