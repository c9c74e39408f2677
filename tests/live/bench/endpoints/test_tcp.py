"""Serial lines on TCP ports, by raw sockets and by pyserial, which labgrid uses."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from firmware_sim.bench.endpoints.rfc2217 import ComPort
from firmware_sim.bench.endpoints.tcp import CLIENTS_MAX, UNREAD_MAX, TcpLine, bound_near, open_line

Typed = list[bytes]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def run(work: Callable[[TcpLine, Typed], Awaitable[None]], telnet: bool = False) -> None:
    async def main() -> None:
        typed: Typed = []
        line = await (open_line(typed.append, ComPort) if telnet else open_line(typed.append))
        try:
            async with asyncio.timeout(20):
                await work(line, typed)
        finally:
            line.close()
            await asyncio.sleep(0)

    asyncio.run(main())


async def client(line: TcpLine) -> Streams:
    return await asyncio.open_connection("127.0.0.1", line.port)


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.005)


def test_all_clients_hear_and_each_may_type() -> None:
    async def work(line: TcpLine, typed: Typed) -> None:
        clients = [await client(line) for _ in range(CLIENTS_MAX)]
        await until(lambda: line.clients == CLIENTS_MAX)
        line.send(b"\xffboot\r\n")
        for number, (reader, writer) in enumerate(clients):
            assert await reader.readexactly(7) == b"\xffboot\r\n"
            writer.write(b"%d" % number)
        await until(lambda: sorted(b"".join(typed)) == sorted(b"0123"))
        reader, writer = await client(line)  # one too many
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        for _, each in (*clients, (reader, writer)):
            each.close()
        await until(lambda: not line.clients)

    run(work)


def test_who_does_not_read_is_bounded_and_holds_nobody_up() -> None:
    async def work(line: TcpLine, __: Typed) -> None:
        deaf, other = await client(line), await client(line)
        deaf[1].transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: line.clients == 2)
        for _ in range(200):
            line.send(b"x" * (UNREAD_MAX // 2))
            await other[0].read(UNREAD_MAX)
        for streams in (deaf, other):
            streams[1].transport.abort()
        await until(lambda: not line.clients)

    run(work)


def test_a_port_that_is_taken_is_not_insisted_on() -> None:
    with bound_near(0) as first, bound_near(first.getsockname()[1]) as second:
        assert second.getsockname()[1] != first.getsockname()[1]


def test_pyserial_opens_it_by_rfc_2217() -> None:
    serial = pytest.importorskip("serial")

    async def work(line: TcpLine, typed: Typed) -> None:
        loop = asyncio.get_running_loop()

        def use() -> bytes:
            url = f"rfc2217://127.0.0.1:{line.port}?ign_set_control&timeout=10"
            with serial.serial_for_url(url, baudrate=115_200, timeout=10) as port:
                port.write(b"status\xff\r\n")
                loop.call_soon_threadsafe(line.send, b"\xffok\r\n")
                got: bytes = port.read(5)
                assert port.cts
                port.reset_input_buffer()
            return got

        assert await asyncio.to_thread(use) == b"\xffok\r\n"
        await until(lambda: b"".join(typed) == b"status\xff\r\n")

    with pytest.warns(DeprecationWarning, match="setDaemon|setName"):
        run(work, telnet=True)


def test_noise_reaches_the_line_and_breaks_nothing() -> None:
    async def work(line: TcpLine, typed: Typed) -> None:
        reader, writer = await client(line)
        writer.write(bytes(range(256)) * 400)
        await until(lambda: sum(map(len, typed)) > 1000)
        line.send(b"still here")
        await reader.readuntil(b"still here")
        writer.close()

    run(work, telnet=True)
