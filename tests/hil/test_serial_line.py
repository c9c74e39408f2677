"""Bytes of a part come when they are due, to everybody who has the line open."""

import asyncio
from collections.abc import Awaitable, Callable

from fleet.hil.serial_line import SerialLine

START_MS = 1000


class Talker:
    """Says each of its words when it is due; answers what is typed in capitals."""

    def __init__(self, *words: tuple[int, bytes]) -> None:
        self.words = list(words)
        self.heard = b""

    def due(self, now_ms: int) -> bytes:
        said = b"".join(word for at_ms, word in self.words if at_ms <= now_ms)
        self.words = [(at_ms, word) for at_ms, word in self.words if at_ms > now_ms]
        return said

    def next_ms(self) -> int | None:
        return min((at_ms for at_ms, _ in self.words), default=None)

    def hear(self, data: bytes, now_ms: int) -> bytes:
        self.heard += data
        return data.upper()


class Ear:
    """An end of the line."""

    def __init__(self) -> None:
        self.got = b""

    def send(self, data: bytes) -> None:
        self.got += data


def run(work: Callable[[Callable[[], int]], Awaitable[None]]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        await work(lambda: START_MS + int(1000 * (loop.time() - begun_s)))

    asyncio.run(main())


def test_words_come_when_they_are_due_and_everybody_hears_them() -> None:
    async def work(now_ms: Callable[[], int]) -> None:
        part = Talker((START_MS, b"boot "), (START_MS + 20, b"ready"))
        line, ears = SerialLine(part, part.hear, now_ms), (Ear(), Ear())
        for ear in ears:
            line.connect(ear)
        line.look()
        assert [ear.got for ear in ears] == [b"boot ", b"boot "]
        async with asyncio.timeout(10):
            while part.words:
                await asyncio.sleep(0.001)
        assert [ear.got for ear in ears] == [b"boot ready", b"boot ready"]
        line.close()

    run(work)


def test_an_answer_comes_at_once_and_later_words_later() -> None:
    async def work(now_ms: Callable[[], int]) -> None:
        part, ear = Talker(), Ear()
        line = SerialLine(part, part.hear, now_ms)
        line.connect(ear)
        line.type(b"status")
        assert (part.heard, ear.got) == (b"status", b"STATUS")
        part.words = [(now_ms() + 3_600_000, b"much later")]
        line.look()
        part.words = [(now_ms() + 5, b" soon")]  # it has changed its mind
        line.look()
        line.look()
        async with asyncio.timeout(10):
            while part.words:
                await asyncio.sleep(0.001)
        assert ear.got == b"STATUS soon"
        part.words = []
        line.look()

    run(work)


def test_a_closed_line_is_silent() -> None:
    async def work(now_ms: Callable[[], int]) -> None:
        part, ear = Talker((START_MS + 5, b"x")), Ear()
        line = SerialLine(part, part.hear, now_ms)
        line.connect(ear)
        line.look()
        line.close()
        await asyncio.sleep(0.02)
        assert ear.got == b""

    run(work)
