"""The phone on the LAN over real loopback sockets: search, token, and devices that misbehave."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import uvloop

from firmware_sim.errors import UsageError
from firmware_sim.wire.discovery import Announcement, encode_announcement
from firmware_sim.wire.lan_frame import FrameCutter
from firmware_sim.wire.provisioning import TokenForm, decode_token_bind, encode_token_bind_reply
from fleet.app.finder import Found
from fleet.app.handover import Delivery, Outcome
from fleet.app.lan_client import LanSearch, search, send_token, send_tokens

TOKEN = "EUabcdefghpr_0"
BROADCAST = "127.255.255.255"
QUICK: dict[str, Any] = {"settle_s": 0.0, "resend_s": 0.05, "timeout_s": 10.0, "attempts": 3}
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def announce(ip: str, uuid: str, port: int, version: str = "3.3") -> None:
    """Send what a waiting wired device at `ip` broadcasts."""
    datagram = encode_announcement(
        Announcement(
            ip=ip,
            gw_id=uuid,
            active=0,
            encrypt=True,
            product_key="p1",
            version=version,
            token=True,
            wf_cfg=False,
        )
    )
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.bind((ip, 0))
        sender.sendto(datagram, (BROADCAST, port))


def free_port(kind: socket.SocketKind) -> int:
    with closing(socket.socket(socket.AF_INET, kind)) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_two_phones_hear_the_same_broadcast() -> None:
    port = free_port(socket.SOCK_DGRAM)
    heard: list[str] = []

    async def story() -> None:
        async with (
            LanSearch(ports=[port], on_found=lambda found: heard.append(found.uuid)) as one,
            LanSearch(ports=[port]) as two,
        ):
            announce("127.5.0.2", "u2", port)
            announce("127.5.0.3", "u3", port, version="3.1")
            for phone in (one, two):
                found = await phone.wait_for({"u2", "u3"}, timeout_s=10)
                # Two senders on two cores: the kernel promises no order.
                assert {(device.uuid, device.ip, device.form()) for device in found} == {
                    ("u2", "127.5.0.2", TokenForm.ECB),
                    ("u3", "127.5.0.3", TokenForm.PLAIN),
                }

    asyncio.run(story())
    assert sorted(heard) == ["u2", "u3"]


def test_a_device_that_is_silent_is_not_waited_for_longer_than_asked() -> None:
    port = free_port(socket.SOCK_DGRAM)

    async def story() -> tuple[Found, ...]:
        async with LanSearch(ports=[port]) as phone:
            announce("127.5.0.2", "u2", port)
            await phone.wait_for({"u2"}, timeout_s=10)
            return await phone.wait_for({"u2", "u3"}, timeout_s=0.05)

    assert [found.uuid for found in asyncio.run(story())] == ["u2"]


def test_a_port_that_another_program_keeps_for_itself_is_one_clear_line() -> None:
    async def story(port: int) -> None:
        async with LanSearch(ports=[port]):
            raise AssertionError("nobody shares this port")

    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind(("", 0))
        with pytest.raises(UsageError, match=r"cannot listen on UDP \*:\d+ \(Address already"):
            asyncio.run(story(other.getsockname()[1]))


@asynccontextmanager
async def device(ip: str, port: int, behave: Behaviour) -> AsyncIterator[int]:
    """Listen as a device that does what `behave` says with each connection; yield the port."""
    running: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        with closing(writer):
            await behave(reader, writer)

    server = await asyncio.start_server(connected, ip, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*running)


def deliver(behave: Behaviour, **choices: Any) -> Delivery:
    """Hand the token to a device that does what `behave` says."""

    async def story() -> Delivery:
        async with device("127.5.0.4", 0, behave) as port:
            return await send_token("127.5.0.4", TOKEN, port=port, **(QUICK | choices))

    return asyncio.run(story())


def answering(
    return_code: int, *, after: int = 1, forms: set[TokenForm] | None = None
) -> Behaviour:
    """Answer the `after`-th token on a connection with `return_code`; note its form in `forms`."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cutter = FrameCutter()
        while data := await reader.read(4096):
            for raw in cutter.feed(data):
                bind = decode_token_bind(raw)
                assert bind.token == TOKEN
                if forms is not None:
                    forms.add(bind.form)
                if raw.sequence >= after:
                    nonce = os.urandom(12)
                    reply = encode_token_bind_reply(raw.sequence, return_code, bind.form, nonce)
                    writer.write(reply)

    return behave


def test_a_device_takes_the_token() -> None:
    assert deliver(answering(0)) == Delivery("127.5.0.4", Outcome.ACCEPTED, 1)


@pytest.mark.parametrize("form", list(TokenForm))
def test_the_token_goes_and_is_answered_in_each_form(form: TokenForm) -> None:
    assert deliver(answering(0), form=form) == Delivery("127.5.0.4", Outcome.ACCEPTED, 1)


def test_an_activated_device_refuses_it() -> None:
    refused = Delivery("127.5.0.4", Outcome.REFUSED, 1, "return code 1")
    assert deliver(answering(1)) == refused


def test_the_token_is_sent_again_until_it_is_answered() -> None:
    assert deliver(answering(0, after=3)) == Delivery("127.5.0.4", Outcome.ACCEPTED, 3)


def test_a_silent_device_gets_so_many_attempts() -> None:
    assert deliver(answering(0, after=9)) == Delivery("127.5.0.4", Outcome.NO_ANSWER, 3)


def test_time_ends_before_the_attempts_do() -> None:
    delivery = deliver(answering(0, after=9), timeout_s=0.2, resend_s=60.0)
    assert delivery == Delivery("127.5.0.4", Outcome.NO_ANSWER, 1)


def test_time_may_end_before_the_first_attempt() -> None:
    delivery = deliver(answering(0), timeout_s=0.05, settle_s=60.0)
    assert (delivery.outcome, delivery.attempts) == (Outcome.UNREACHABLE, 0)


def test_a_lost_connection_is_opened_again() -> None:
    connections = 0

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        if connections > 1:
            await answering(0)(reader, writer)

    assert deliver(behave) == Delivery("127.5.0.4", Outcome.ACCEPTED, 2)


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_device_may_be_gone_before_anything_was_said(
    factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def vanish(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async def story() -> Delivery:
        async with device("127.5.0.4", 0, vanish) as port:
            return await send_token("127.5.0.4", TOKEN, port=port, **(QUICK | {"settle_s": 0.05}))

    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(story()).outcome is Outcome.UNREACHABLE


def test_a_device_that_always_hangs_up_is_unreachable() -> None:
    async def behave(*_: object) -> None:
        return

    delivery = deliver(behave)
    assert (delivery.outcome, delivery.attempts) == (Outcome.UNREACHABLE, 3)


def test_what_speaks_something_else_is_left_alone() -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    delivery = deliver(behave)
    assert (delivery.outcome, delivery.attempts) == (Outcome.BAD_ANSWER, 1)


def test_nobody_at_the_address_is_unreachable() -> None:
    delivery = asyncio.run(
        send_token("127.5.0.5", TOKEN, port=free_port(socket.SOCK_STREAM), attempts=1)
    )
    assert (delivery.outcome, delivery.attempts) == (Outcome.UNREACHABLE, 0)


def test_several_devices_get_the_token_side_by_side() -> None:
    """Both answer only when both were asked: one after the other would never end."""
    waiting = asyncio.Barrier(2)
    forms: set[TokenForm] = set()
    told: list[str] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await waiting.wait()
        await answering(0, forms=forms)(reader, writer)

    async def story() -> tuple[Delivery, ...]:
        targets = [
            Found(f"u{n}", f"127.5.1.{n}", "p1", version, f"127.5.1.{n}")
            for n, version in ((1, "3.3"), (2, "3.5"))
        ]
        async with device(targets[0].ip, 6668, behave), device(targets[1].ip, 6668, behave):
            return await send_tokens(
                targets,
                TOKEN,
                newer=TokenForm.GCM,
                on_delivery=lambda found, _: told.append(found.uuid),
            )

    deliveries = asyncio.run(story())
    assert deliveries == tuple(Delivery(f"127.5.1.{n}", Outcome.ACCEPTED, 1) for n in (1, 2))
    assert sorted(told) == ["u1", "u2"]
    assert forms == {TokenForm.ECB, TokenForm.GCM}


def test_a_search_takes_its_time_and_tells_what_can_be_selected() -> None:
    async def story() -> tuple[Found, ...]:
        searching = asyncio.ensure_future(search(0.05, network="127.5.2.0/24"))
        while not searching.done():
            announce("127.5.2.2", "u2", 6667)
            await asyncio.sleep(0.005)
        return searching.result()

    assert [found.uuid for found in asyncio.run(story())] == ["u2"]
