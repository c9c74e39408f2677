"""Devices over TLS: who they believe, who they do not, and what is on the wire at the end."""

import asyncio
import ssl
from collections.abc import Callable

import pytest
import uvloop

from firmware_sim.effects import SendHttp
from firmware_sim.runtime.live.dialer import Dialer
from firmware_sim.runtime.live.http_call import HttpCall
from firmware_sim.runtime.live.trust import BadAnchor, anchor_cache
from fleet.cloud.edge.authority import Authority
from tests.runtime.live.support import Desk

HOST = "127.0.0.1"
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make()


class Server(asyncio.Protocol):
    """Answers every request at once; notes how connections ended."""

    ends: list[str]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ends = []

    def data_received(self, data: bytes) -> None:
        assert data.endswith(b"body!")
        self.transport.write(REPLY)  # type: ignore[attr-defined]

    def eof_received(self) -> None:
        self.ends.append("eof")  # told only after a close_notify of the other side

    def connection_lost(self, exc: Exception | None) -> None:
        self.ends.append("lost" if exc is None else type(exc).__name__)


async def _ask(server_tls: ssl.SSLContext, anchor: bytes) -> tuple[tuple[int, bytes, str], Server]:
    loop = asyncio.get_running_loop()
    protocol = Server()
    server = await loop.create_server(lambda: protocol, HOST, 0, ssl=server_tls)
    port = server.sockets[0].getsockname()[1]
    told: asyncio.Future[tuple[int, bytes, str]] = loop.create_future()
    wish = SendHttp(1, HOST, port, "/d.json", b"body!", 1000, anchor)
    call = HttpCall(wish, lambda *result: told.set_result(result), loop)
    dialer = Dialer(_unexpected)
    dialer.dial(Desk(HOST), call, HOST, port, anchor)
    result = await asyncio.wait_for(told, 10)
    await asyncio.sleep(0.05)
    await dialer.close()
    server.close()
    return result, protocol


def _unexpected(error: BaseException) -> None:
    raise error


LOOPS: tuple[Callable[[], asyncio.AbstractEventLoop], ...] = (
    asyncio.new_event_loop,
    uvloop.new_event_loop,
)


@pytest.mark.parametrize("loop_factory", LOOPS)
def test_a_call_over_tls_ends_with_a_farewell(
    authority: Authority, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        result, server = runner.run(_ask(authority.server_context([HOST]), authority.der))
    assert result == (200, b"hello", "")
    assert server.ends == ["eof", "lost"]


def test_a_stranger_is_not_believed(authority: Authority) -> None:
    impostor = Authority.make().server_context([HOST])
    result, _ = asyncio.run(_ask(impostor, authority.der))
    assert result == (0, b"", "SSLCertVerificationError")


def test_a_server_of_another_name_is_not_believed(authority: Authority) -> None:
    result, _ = asyncio.run(_ask(authority.server_context(["cloud.example"]), authority.der))
    assert result == (0, b"", "SSLCertVerificationError")


def test_an_anchor_that_is_no_certificate_is_a_failed_call(authority: Authority) -> None:
    result, _ = asyncio.run(_ask(authority.server_context([HOST]), b"no certificate"))
    assert result == (0, b"", "BadAnchor")


def test_devices_that_trust_the_same_share_one_context(authority: Authority) -> None:
    trusting = anchor_cache()
    assert trusting(authority.der) is trusting(bytes(authority.der))
    assert trusting(authority.der).check_hostname


def test_firmware_speaks_tls_1_2(authority: Authority) -> None:
    context = anchor_cache()(authority.der)
    assert context.minimum_version is context.maximum_version is ssl.TLSVersion.TLSv1_2


def test_no_certificate_is_no_anchor() -> None:
    with pytest.raises(BadAnchor):
        anchor_cache()(b"\x30\x03abc")
