"""What hands do to a device on a desk, with a world that only takes notes."""

import asyncio
from pathlib import Path

import pytest

from firmware_sim.device.device import Identity
from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import UsageError
from firmware_sim.events import (
    ButtonPressed,
    ButtonReleased,
    ChildJoined,
    ChildLeft,
    ChildLost,
    ChildReached,
    PowerApplied,
    PowerRemoved,
)
from fleet.app import qr
from fleet.commands import hands
from fleet.commands.hands import Desk, Setup
from fleet.commands.panel import Face
from fleet.commands.script import parse
from hw_profiles import catalog
from tests.commands.notebook import make_desk

WAITING = StateShown("WAITING", "DOWN", "waiting", "waiting", "BootElapsed")
ONLINE = StateShown("ONLINE", "UP", "online", "", "Subscribed")


def do(desk: Desk, text: str) -> bool:
    return asyncio.run(desk.run(parse(text)))


def test_power_and_button_are_what_they_were_not() -> None:
    desk, world = make_desk("ipc-red-green")
    assert do(desk, "p; b; b; p") is True
    assert world.told == [PowerApplied(), ButtonPressed(), ButtonReleased(), PowerRemoved()]
    assert not desk.powered
    assert not desk.pressed


def test_a_script_ends_where_it_says_so() -> None:
    desk, world = make_desk("ipc-red-green")
    assert do(desk, "p; x; p") is False
    assert world.told == [PowerApplied()]


@pytest.mark.parametrize(
    ("text", "held_ms"), [("hold", 5000), ("hold 1s", 1000), ("b; hold 1s", 1000)]
)
def test_a_button_is_held_a_little_longer_than_asked(
    text: str, held_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(delay_s: float) -> None:
        slept.append(delay_s)

    monkeypatch.setattr("asyncio.sleep", sleep)
    desk, world = make_desk("gateway")  # its reset takes 5 s
    do(desk, text)
    assert world.told == [ButtonPressed(), ButtonReleased()]
    assert slept == [(held_ms + hands.HAND_SLACK_MS) / 1000]


def test_a_code_is_shown_and_taken_away(tmp_path: Path) -> None:
    payload = qr.payload("Café", "pw", "EUabcdefghpr_0")
    qr.save(payload, tmp_path / "my code.png")
    desk, world = make_desk("ipc-red-green")
    do(desk, f"show {tmp_path}/my code.png")
    assert (world.shown, desk.code) == ([payload], "my code.png")
    do(desk, "hide")
    assert (world.shown, desk.code) == ([payload, None], "")


def test_a_code_that_the_lens_does_not_read_is_said(tmp_path: Path) -> None:
    qr.save(b"x" * 2000, tmp_path / "fine.png")
    desk, _ = make_desk("ipc-red-green")
    said: list[str] = []
    desk.report = lambda _, text: said.append(text)
    do(desk, f"show {tmp_path}/fine.png")
    desk.say_unread()
    assert said == ["fine.png: before the lens for 50 frames, and read in none of them"]


def test_a_cable_is_pulled_and_plugged() -> None:
    desk, world = make_desk("gateway")
    assert desk.plugged
    do(desk, "c; c")
    assert world.plugged == [False, True]


def test_sub_devices_are_moved_about() -> None:
    desk, world = make_desk("gateway")
    do(desk, "lose 3; find 3; p; remove 2; add 2")
    assert world.told == [
        ChildLost(2),
        ChildReached(2),
        PowerApplied(),
        ChildLeft(1),
        ChildJoined(1),
    ]


@pytest.mark.parametrize(
    ("profile", "text", "message"),
    [
        ("gateway", "add 1", "add 1: gateway has no power"),
        ("gateway", "lose 4", "lose 4: gateway has 3 sub-devices"),
        ("gateway", "lose 0", "gateway has 3 sub-devices"),
        ("ipc-red-green", "find 1", "ipc-red-green has no sub-devices"),
        ("ipc-red-green", "c", "has no Ethernet"),
        ("gateway", "show code.png", "has no lens"),
        ("gateway", "hide", "has no lens"),
    ],
)
def test_what_a_model_has_not_got_is_told(profile: str, text: str, message: str) -> None:
    desk, _ = make_desk(profile)
    with pytest.raises(UsageError, match=message):
        do(desk, text)


def test_waiting_ends_with_the_light_or_what_the_operator_reads() -> None:
    desk, _ = make_desk("ipc-red-green")

    async def story() -> None:
        waiting = asyncio.ensure_future(desk.run(parse("wait online; wait waiting; wait waiting")))
        for state in (WAITING, ONLINE, WAITING):
            await asyncio.sleep(0)
            desk.observe(0, state, 1)
        await waiting

    asyncio.run(story())


def test_waiting_in_vain_says_what_is_there() -> None:
    desk, _ = make_desk("ipc-red-green")
    desk.observe(0, WAITING, 1)
    with pytest.raises(
        UsageError, match=r"wait unbound: after 0\.01 s .* waiting \(WAITING/DOWN\)"
    ):
        do(desk, "wait unbound 10ms")


def test_states_and_notes_are_reported() -> None:
    desk, _ = make_desk("ipc-red-green")
    heard: list[tuple[int, str]] = []
    desk.report = lambda now_ms, text: heard.append((now_ms, text))
    desk.observe(0, WAITING, 5)
    desk.observe(0, Noted("tone", "1"), 6)
    assert heard[0][1].startswith("WAITING/DOWN [waiting] light waiting")
    assert heard[1] == (6, "tone: 1")


def test_a_light_that_stays_the_same_does_not_start_anew() -> None:
    desk, _ = make_desk("ipc-red-green")
    desk.observe(0, WAITING, 5)
    desk.observe(0, StateShown("WAITING", "BACKOFF", "waiting", "waiting", "x"), 9)
    assert desk.since_ms == 5
    desk.observe(0, ONLINE, 11)
    assert desk.since_ms == 11


def test_a_broken_world_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hands, "_FAILURE_POLL_S", 0)
    desk, world = make_desk("ipc-red-green")

    async def story() -> None:
        watching = asyncio.ensure_future(desk.watch_world())
        await asyncio.sleep(0)
        world.failure = UsageError("disk full")
        await watching

    with pytest.raises(UsageError, match="disk full"):
        asyncio.run(story())


def test_a_setup_shows_no_secret() -> None:
    setup = Setup(
        profile=catalog.load("gateway"),
        identity=Identity("u1", "k" * 32, "p1"),
        seed=1,
        iot_dns=("h", 1),
        networks={"w": "s3cret"},
        decoder="zxing",
    )
    assert "s3cret" not in repr(setup)
    assert "kkk" not in repr(setup)


def test_nobody_has_to_listen() -> None:
    desk, _ = make_desk("ipc-red-green")
    desk.observe(0, WAITING, 5)
    assert desk.state is WAITING
    assert isinstance(Face(desk), Face)
