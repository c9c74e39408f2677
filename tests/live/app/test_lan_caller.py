"""Asking who is there over real loopback sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire.discovery import (
    Announcement,
    Solicitation,
    decode_solicitation,
    encode_announcement,
)
from fleet.app import lan_caller
from fleet.app.lan_caller import (
    LIMITED_BROADCAST,
    LOOPBACK_BROADCAST,
    Asking,
    LanCaller,
    listen,
    own_address,
    own_broadcasts,
)
from fleet.app.lan_client import LanSearch


class ShyDevice(asyncio.DatagramProtocol):
    """A device that announces itself only when it is asked."""

    def __init__(self, ip: str, port: int) -> None:
        self.ip, self.port = ip, port
        self.asked: list[Solicitation] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = decode_solicitation(data)
        self.asked.append(question)
        card = Announcement(
            ip=self.ip,
            gw_id=f"dev-{self.ip}",
            active=2,
            encrypt=True,
            product_key="p1",
            version="3.5",
        )
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
            sender.bind((self.ip, 0))
            sender.sendto(encode_announcement(card, bytes(12)), (question.ip, self.port))


@asynccontextmanager
async def hearing(*devices: ShyDevice) -> AsyncIterator[None]:
    """Let the devices hear what is said to everybody, while the block lasts."""
    transports = []
    try:
        for device in devices:
            ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                ear.setsockopt(socket.SOL_SOCKET, option, 1)
            ear.bind((LOOPBACK_BROADCAST, device.port))
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda device=device: device,  # type: ignore[misc]
                sock=ear,
            )
            transports.append(transport)
        yield
    finally:
        for transport in transports:
            transport.close()


def free_port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("answer_ip", ["", "127.6.2.200"])
def test_devices_that_wait_to_be_asked_are_found(answer_ip: str) -> None:
    port = free_port()
    shy = [ShyDevice(f"127.6.2.{number}", port) for number in (1, 2, 3)]

    async def story() -> None:
        asking = Asking(answer_ip=answer_ip, port=port)
        async with (
            hearing(*shy),
            LanSearch(ports=[], network="127.6.2.0/24", asking=asking) as phone,
        ):
            while len(phone.finder.heard) < 3:
                await asyncio.sleep(0.001)
            assert {device.id for device in phone.finder.heard} == {
                f"dev-127.6.2.{number}" for number in (1, 2, 3)
            }
            assert phone.finder.found == ()
            assert phone.finder.unreadable == 0

    asyncio.run(asyncio.wait_for(story(), 10))
    assert {question.ip for device in shy for question in device.asked} == {
        answer_ip or "127.0.0.1"
    }
    assert {question.sender for device in shy for question in device.asked} == {"app"}


def test_the_question_is_asked_again_until_the_end() -> None:
    port = free_port()
    shy = ShyDevice("127.6.2.9", port)
    answers: list[str] = []

    async def story() -> None:
        async with hearing(shy):
            caller = LanCaller(lambda _, ip: answers.append(ip), Asking(port=port, every_s=0.002))
            await caller.start()
            while len(answers) < 3:
                await asyncio.sleep(0.001)
            caller.close()
            await asyncio.sleep(0.01)
            count = len(shy.asked)
            await asyncio.sleep(0.01)
            assert len(shy.asked) == count

    asyncio.run(asyncio.wait_for(story(), 10))
    assert set(answers) == {"127.6.2.9"}


def test_broadcasts_may_share_the_address_for_answers() -> None:
    port = free_port()
    shy = ShyDevice("127.6.2.9", port)

    async def story() -> None:
        twice = Asking((LOOPBACK_BROADCAST, LOOPBACK_BROADCAST), "127.6.2.200", port)
        async with hearing(shy):
            caller = LanCaller(lambda *_: None, twice)
            await caller.start()
            while len(shy.asked) < 2:
                await asyncio.sleep(0.001)
            caller.close()

    asyncio.run(asyncio.wait_for(story(), 10))


def test_this_machine_knows_its_networks() -> None:
    assert own_address(LOOPBACK_BROADCAST) == "127.0.0.1"
    networks = own_broadcasts()
    assert LOOPBACK_BROADCAST in networks
    assert len(set(networks)) == len(networks)


@pytest.mark.parametrize("reason", [OSError, UsageError])
def test_where_interfaces_do_not_tell_all_networks_are_asked(
    reason: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bytes:
        raise reason("no")

    monkeypatch.setattr(lan_caller, "ioctl" if reason is OSError else "own_address", refuse)
    assert own_broadcasts() == (LIMITED_BROADCAST,)


def test_a_network_that_this_machine_is_not_in_is_one_clear_line() -> None:
    async def story() -> None:
        async with LanSearch(ports=[], asking=Asking(("no address",))):
            raise AssertionError("there is no such network")

    with pytest.raises(UsageError, match="cannot ask the LAN at no address"):
        asyncio.run(story())


def test_an_address_that_is_not_ours_is_one_clear_line() -> None:
    with pytest.raises(UsageError, match=r"cannot listen on UDP 192\.0\.2\.77:\d+ \(Cannot assign"):
        asyncio.run(listen(lambda *_: None, "192.0.2.77", free_port()))
