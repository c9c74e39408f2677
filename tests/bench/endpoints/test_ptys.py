"""Terminals of serial lines, opened and closed and left alone as programs do."""

import asyncio
import os
import random
import termios
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from firmware_sim.bench.endpoints.ptys import UNREAD_MAX, Pty, Ptys, is_taken
from firmware_sim.errors import UsageError

Typed = list[bytes]
Work = Callable[[Pty, Typed], Awaitable[None]]


def run(folder: Path, work: Work) -> None:
    async def main() -> None:
        typed: Typed = []
        ptys = Ptys(folder)
        try:
            await work(ptys.open("uart", typed.append), typed)
        finally:
            ptys.close()

    asyncio.run(main())


def opened(pty: Pty) -> int:
    return os.open(pty.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


def read_all(fd: int) -> bytes:
    data = b""
    while True:
        try:
            data += os.read(fd, 65536)
        except BlockingIOError:
            return data


def test_bytes_pass_unchanged_both_ways(tmp_path: Path) -> None:
    every = bytes(range(256))

    async def work(pty: Pty, typed: Typed) -> None:
        fd = opened(pty)
        pty.send(every)
        os.write(fd, every)
        await until(lambda: b"".join(typed) == every)
        assert read_all(fd) == every
        os.close(fd)

    run(tmp_path, work)


def test_it_has_a_name_as_long_as_the_bench_runs(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "serial"

    async def work(pty: Pty, _: Typed) -> None:
        assert pty.link == folder / "uart"
        assert str(pty.link.readlink()) == pty.device
        assert is_taken(folder)
        with pytest.raises(UsageError, match="another bench has its serial ports there"):
            Ptys(folder)

    run(folder, work)
    assert not (folder / "uart").is_symlink()
    assert not is_taken(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_name_that_a_killed_bench_has_left_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "uart").symlink_to("/dev/pts/nobody")

    async def work(pty: Pty, _: Typed) -> None:
        assert str(pty.link.readlink()) == pty.device

    run(tmp_path, work)


def test_a_file_of_somebody_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "uart").write_text("mine")

    async def work(_: Pty, __: Typed) -> None:
        raise AssertionError

    with pytest.raises(UsageError, match="there is a file"):
        run(tmp_path, work)
    assert (tmp_path / "uart").read_text() == "mine"


def test_a_name_that_is_somebody_elses_by_now_is_left(tmp_path: Path) -> None:
    async def work(pty: Pty, _: Typed) -> None:
        pty.link.unlink()
        pty.link.symlink_to("/dev/null")

    run(tmp_path, work)
    assert str((tmp_path / "uart").readlink()) == "/dev/null"


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    async def work(_: Pty, __: Typed) -> None:
        raise AssertionError

    with pytest.raises(UsageError, match="no place for serial ports"):
        run(tmp_path / "file" / "serial", work)
    assert not is_taken(tmp_path / "nowhere")


def test_what_nobody_has_open_is_lost_and_costs_nothing(tmp_path: Path) -> None:
    async def work(pty: Pty, __: Typed) -> None:
        for _ in range(100):
            pty.send(b"x" * 10_000)
        assert not pty.opened
        fd = opened(pty)
        pty.send(b"now")
        assert read_all(fd) == b"now"
        os.close(fd)

    run(tmp_path, work)


def test_who_does_not_read_loses_what_is_too_much(tmp_path: Path) -> None:
    async def work(pty: Pty, __: Typed) -> None:
        fd = opened(pty)
        for _ in range(100):
            pty.send(b"x" * 10_000)
        assert pty.lost > 0
        first_lost = pty.lost
        got = 0

        def all_there() -> bool:
            nonlocal got
            got += len(read_all(fd))
            return got == 1_000_000 - first_lost

        await until(all_there)
        assert got >= UNREAD_MAX
        pty.send(b"again")
        await until(lambda: read_all(fd) == b"again")
        os.close(fd)

    run(tmp_path, work)


def test_a_program_may_hang_up_and_come_back(tmp_path: Path) -> None:
    async def work(pty: Pty, typed: Typed) -> None:
        for turn in range(1, 4):
            fd = opened(pty)
            os.write(fd, b"x")
            while len(b"".join(typed)) < turn:
                await asyncio.sleep(0.005)
            pty.send(b"unread" * 5000)
            os.close(fd)
            await until(lambda: not pty.opened)
        fd = opened(pty)
        pty.send(b"fresh")
        assert read_all(fd) == b"fresh"
        os.close(fd)

    run(tmp_path, work)


def test_settings_of_a_program_end_with_it(tmp_path: Path) -> None:
    async def work(pty: Pty, typed: Typed) -> None:
        fd = opened(pty)
        pty.look()
        cooked = termios.tcgetattr(fd)
        cooked[3] |= termios.ECHO | termios.ICANON
        termios.tcsetattr(fd, termios.TCSANOW, cooked)
        os.close(fd)
        await until(lambda: not pty.opened)
        fd = opened(pty)
        os.write(fd, b"no line")
        await until(lambda: typed)
        assert read_all(fd) == b""
        os.close(fd)

    run(tmp_path, work)


def test_noise_is_taken_as_it_comes(tmp_path: Path) -> None:
    noise = random.Random(5).randbytes(3000)

    async def work(pty: Pty, typed: Typed) -> None:
        fd = opened(pty)
        os.write(fd, noise)
        await until(lambda: b"".join(typed) == noise)
        os.close(fd)

    run(tmp_path, work)
