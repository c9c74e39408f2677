"""Hands on one device: what they do to it, and what is told of it."""

import asyncio

import pytest

from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import UsageError
from fleet.run.virtual.desk.goals import until
from fleet.run.virtual.desk.happenings import Sounded
from fleet.run.virtual.desk.scene import (
    FIRST_OWNER,
    HOME,
    JOIN_MS,
    NEW_HOME,
    NO_RIGHT,
    OWNER,
    PLACES,
    WAREHOUSE,
    Touch,
)
from tests.run.virtual.desk.desks import START_MS, Set, play

HOLD_S = 3.0


def test_a_bound_camera_comes_online_at_home() -> None:
    async def story() -> None:
        it = Set()
        assert it.desk.last.light == "off"
        it.desk.power(on=True)
        it.desk.power(on=True)  # it is on
        await until(it.desk, "online")
        assert it.lights == ["booting", "reconnecting", "online"]
        assert it.desk.agenda.now_ms - START_MS > JOIN_MS
        assert it.desk.touch == Touch(powered=True)
        assert it.said("you") == ["switch the power on"]

    play(story)


def test_instruments_see_what_the_device_shows_and_notes_before_people_do() -> None:
    async def story() -> None:
        it = Set()
        seen: list[str] = []
        it.desk.looks.append(lambda shown: seen.append(f"people: {shown.light}"))

        def read(what: StateShown | Noted, at_ms: int) -> None:
            assert at_ms == it.desk.agenda.now_ms
            seen.append(what.light if isinstance(what, StateShown) else what.kind)

        it.desk.instruments.append(read)
        it.desk.power(on=True)
        it.desk.press()
        await until(it.desk, "resetting")
        await until(it.desk, "booting")
        assert seen[:2] == ["booting", "people: booting"]
        assert "tone" in seen

    play(story)


@pytest.mark.parametrize(("hold_s", "resets"), [(HOLD_S - 0.01, False), (HOLD_S, True)])
def test_the_firmware_counts_how_long_the_button_is_held(hold_s: float, resets: bool) -> None:
    async def story() -> None:
        it = Set()
        it.desk.power(on=True)
        await until(it.desk, "online")
        it.desk.press()
        it.desk.press()  # there is one finger
        assert it.desk.touch.pressed
        await asyncio.sleep(hold_s)
        it.desk.release()
        it.desk.release()
        await asyncio.sleep(10)
        assert ("resetting" in it.lights) is resets
        assert it.desk.last.light == ("waiting" if resets else "online")
        tones = [one.tone for one in it.told if isinstance(one, Sounded)]
        assert tones == ([2, 1] if resets else [])

    play(story)


def test_each_place_has_its_own_wifi_which_can_be_switched_off() -> None:
    async def story() -> None:
        it = Set()
        desk = it.desk
        desk.power(on=True)
        await until(desk, "online")
        desk.set_wifi(on=False)
        there = [desk.touch.wifi]
        await asyncio.sleep(1)
        assert desk.last.light == "reconnecting"
        for place in (WAREHOUSE, HOME):
            desk.move(place)
            there.append(desk.touch.wifi)
        assert there == [False, True, False]
        desk.set_wifi(on=True)
        await until(desk, "online")
        names = {desk.network(place).ssid for place in PLACES}
        assert len(names) == len(PLACES)

    play(story)


def test_a_wired_device_hangs_on_its_cable() -> None:
    async def story() -> None:
        it = Set("nvr")
        assert it.desk.touch.plugged
        it.desk.power(on=True)
        await until(it.desk, "online")
        it.desk.plug(connected=False)
        await asyncio.sleep(1)
        assert (it.desk.last.light, it.desk.touch.plugged) == ("reconnecting", False)
        it.desk.plug(connected=True)
        await until(it.desk, "online")
        with pytest.raises(UsageError, match="no camera"):
            it.desk.show(b"code", 1)

    play(story)


def test_what_cannot_be_done_is_said() -> None:
    async def story() -> None:
        it = Set()
        with pytest.raises(UsageError, match="no socket for a cable"):
            it.desk.plug(connected=True)
        with pytest.raises(UsageError, match="no place 'moon'"):
            it.desk.move("moon")
        with pytest.raises(UsageError, match="nobody is 'king'"):
            it.desk.person("king")
        with pytest.raises(UsageError, match="no profile"):
            Set("toaster")

    play(story)


def test_everybody_is_somebody_else() -> None:
    async def story() -> None:
        desk = Set().desk
        names = {desk.person(role).name for role in (OWNER, NO_RIGHT, FIRST_OWNER, "next_owner")}
        assert len(names) == 4
        assert desk.network(NEW_HOME) != desk.network(HOME)

    play(story)
