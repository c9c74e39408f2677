"""The face of a device: light, state, hands, happenings and the question for a picture."""

import io

import msgspec
from rich.console import Console

from firmware_sim.effects import Noted, StateShown
from fleet.commands.panel import HAPPENINGS_MAX, Face, Question
from fleet.commands.script import Button, Cable, Power, parse
from tests.commands.notebook import make_desk

FAILED = StateShown("FAILED", "DOWN", "join_failed", "failed", "JoinRefused")


def drawn(face: Face, now_ms: int) -> str:
    console = Console(file=io.StringIO(), width=120, markup=False, emoji=False, highlight=False)
    console.print(face.draw(now_ms))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_light_moves_between_two_drawings() -> None:
    desk, _ = make_desk("ipc-red-green")
    face = Face(desk)
    desk.observe(0, FAILED, 10_000)
    assert "● red" in drawn(face, 10_100)
    assert "● green" in drawn(face, 11_600)
    assert "join_failed: red and green alternate 1500/1500 ms" in drawn(face, 10_000)
    assert "FAILED / DOWN   failed" in drawn(face, 10_000)


def test_two_lights_on_a_case_are_two() -> None:
    desk, _ = make_desk("ipc-blue-red")
    desk.observe(0, msgspec.structs.replace(FAILED, light="activation_failed"), 10_000)
    assert "○ ● red" in drawn(Face(desk), 10_100)
    assert "● ○ blue" in drawn(Face(desk), 11_600)


async def _work(desk: object) -> None:
    for step in (Power(), Button(), Cable()):
        await desk.do(step)  # type: ignore[attr-defined]


def test_hands_of_a_wired_device() -> None:
    import asyncio

    desk, _ = make_desk("gateway")
    face = Face(desk)
    assert "power off, button up, cable in" in drawn(face, 0)
    assert "[c] cable" in drawn(face, 0)
    asyncio.run(_work(desk))
    assert "power on, button down, cable out" in drawn(face, 0)


def test_hands_of_a_camera() -> None:
    desk, _ = make_desk("ipc-red-green")
    face = Face(desk)
    assert "sees no code" in drawn(face, 0)
    assert "[q] show QR code" in drawn(face, 0)
    desk.code = "code.png"
    assert "sees code.png" in drawn(face, 0)


def test_a_question_takes_the_place_of_the_keys() -> None:
    desk, _ = make_desk("ipc-red-green")
    face = Face(desk)
    face.question = Question("picture (empty: take it away)", parse, "co")
    assert "take it away): co_" in drawn(face, 0)
    assert "[p] power" not in drawn(face, 0)


def test_what_is_behind_a_gateway_is_shown() -> None:
    desk, _ = make_desk("gateway")
    shown = drawn(Face(desk), 0)
    assert "2 Smart plug (new, in reach)" in shown
    assert "3 Temperature and humidity sensor (new, out of reach)" in shown
    assert "[s] sub-device" in shown
    desk, _ = make_desk("ipc-red-green")
    assert "[s]" not in drawn(Face(desk), 0)


def test_the_latest_happenings_are_kept_and_brackets_are_no_markup() -> None:
    desk, _ = make_desk("ipc-red-green")
    face = Face(desk)
    desk.report = face.report
    for number in range(HAPPENINGS_MAX + 3):
        desk.observe(0, Noted("bad_qr", f"[red]{number}"), 0)
    shown = drawn(face, 0)
    assert "bad_qr: [red]14" in shown
    assert "[red]3" in shown
    assert "[red]2" not in shown
