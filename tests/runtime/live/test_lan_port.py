"""The LAN side: datagrams come from each device's own address, clients come and go."""

import asyncio
import socket

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.runtime.live import lan_port
from firmware_sim.runtime.live.lan_port import Broadcaster, LanPort

IP = "127.77.0.1"


def test_each_datagram_comes_from_the_address_it_is_sent_from() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("", 0))
        listener.settimeout(5)
        port = listener.getsockname()[1]
        broadcaster = Broadcaster("127.255.255.255")
        for last in range(1, 6):
            broadcaster.send(f"127.77.0.{last}", port, b"here %d" % last)
        heard = {listener.recvfrom(100)[1][0] for _ in range(5)}
        broadcaster.send("192.0.2.1", port, b"not our address")
        broadcaster.close()
    assert heard == {f"127.77.0.{last}" for last in range(1, 6)}
    assert broadcaster.dropped == 1


class Log:
    """What a device would be told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.port = LanPort(
            lambda conn: self.told.append(("opened", conn)),
            lambda conn, data: self.told.append((conn, data)),
            lambda conn: self.told.append(("lost", conn)),
        )

    async def until(self, entry: object) -> None:
        async with asyncio.timeout(5):
            while entry not in self.told:
                await asyncio.sleep(0.002)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((IP, 0))
        return int(probe.getsockname()[1])


def test_clients_come_speak_and_go() -> None:
    async def scene() -> list[object]:
        log, number = Log(), free_port()
        await log.port.listen(IP, number)
        reader, writer = await asyncio.open_connection(IP, number)
        writer.write(b"hello")
        await log.until((1, b"hello"))
        log.port.send(1, b"answer")
        assert await reader.readexactly(6) == b"answer"
        log.port.send(99, b"to nobody")
        second_reader, second = await asyncio.open_connection(IP, number)
        await log.until(("opened", 2))
        log.port.drop(2)
        assert await second_reader.read() == b""
        writer.close()
        await log.until(("lost", 1))
        _, third = await asyncio.open_connection(IP, number)
        await log.until(("opened", 3))
        log.port.close(hard=True)
        for each in (writer, second, third):
            each.close()
        await asyncio.sleep(0.01)
        return log.told

    assert asyncio.run(scene()) == [
        ("opened", 1),
        (1, b"hello"),
        ("opened", 2),
        ("lost", 1),
        ("opened", 3),
    ]


def test_a_client_that_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan_port, "WRITE_BUFFER_MAX", 1000)

    async def scene() -> None:
        log, number = Log(), free_port()
        await log.port.listen(IP, number)
        with socket.socket() as client:
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, (IP, number))
            await log.until(("opened", 1))
            while ("lost", 1) not in log.told:
                log.port.send(1, bytes(100_000))
                await asyncio.sleep(0)
        log.port.close()

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_a_taken_port_is_one_clear_line() -> None:
    async def scene() -> None:
        first, second, number = Log(), Log(), free_port()
        await first.port.listen(IP, number)
        with pytest.raises(UsageError, match=rf"cannot listen on {IP}:{number} .*in use"):
            await second.port.listen(IP, number)
        first.port.close()

    asyncio.run(scene())


def test_closed_before_it_listened() -> None:
    async def scene() -> None:
        log, number = Log(), free_port()
        log.port.close()
        await log.port.listen(IP, number)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(IP, number)

    asyncio.run(scene())
