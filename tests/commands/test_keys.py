"""Keys of a terminal and lines of a pipe: all of them, and an end."""

import asyncio
import os
import pty
import termios
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.commands.keys import LINE_SIZE_MAX, keys, lines


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Return the two ends of a terminal: where somebody types, and what a program reads."""
    keyboard, program = pty.openpty()
    yield keyboard, program
    os.close(keyboard)
    os.close(program)


def test_keys_come_one_by_one_until_the_end(terminal: tuple[int, int]) -> None:
    keyboard, program = terminal

    async def story() -> list[str]:
        pressed = []
        async with aclosing(keys(program)) as source:
            async for key in source:
                pressed.append(key)
                if key == "p":
                    os.write(keyboard, "é\r\x7f\x04x".encode())
        return pressed

    before = termios.tcgetattr(program)
    os.write(keyboard, b"ap")
    assert asyncio.run(story()) == ["a", "p", "é", "\n", "\x7f"]
    assert termios.tcgetattr(program) == before


def test_a_terminal_is_given_back_when_nobody_wants_more(terminal: tuple[int, int]) -> None:
    keyboard, program = terminal

    async def story() -> str:
        async with aclosing(keys(program)) as source:
            os.write(keyboard, b"q")
            async for key in source:
                assert not termios.tcgetattr(program)[3] & termios.ECHO
                return key
        return ""

    before = termios.tcgetattr(program)
    assert asyncio.run(story()) == "q"
    assert termios.tcgetattr(program) == before


async def read(descriptor: int) -> list[str]:
    return [line async for line in lines(descriptor)]


def piped(data: bytes) -> list[str]:
    ours, theirs = os.pipe()

    async def story() -> list[str]:
        reading = asyncio.ensure_future(read(ours))
        await asyncio.to_thread(os.write, theirs, data)
        os.close(theirs)
        return await reading

    try:
        return asyncio.run(story())
    finally:
        os.close(ours)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"p\nx\n", ["p", "x"]),
        (b"p\n\nlast", ["p", "", "last"]),
        ("é".encode() * 3000 + b"\n" * 50_000, ["é" * 3000] + [""] * 49_999),
        (b"\xff\n", ["\ufffd"]),
    ],
)
def test_lines_of_a_pipe(data: bytes, expected: list[str]) -> None:
    assert piped(data) == expected


def test_lines_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text("p\nwait online\n")
    with path.open() as file:
        assert asyncio.run(read(file.fileno())) == ["p", "wait online"]


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match=f"more than {LINE_SIZE_MAX} bytes"):
        piped(b"x" * (LINE_SIZE_MAX + 8192))
