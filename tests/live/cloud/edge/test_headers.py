"""Which headers of a request reach the node, and what cannot be smuggled in with them."""

import asyncio
from typing import Any

import httpx
import pytest

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from fleet.cloud.edge.http_connection import HEAD_SIZE_MAX
from fleet.cloud.messages import HttpRequested, TellOperator
from tests.live.cloud.edge.stage import LOOPBACK, EchoNode, Run, Served, served


class Attentive(EchoNode):
    """Keeps the headers of every request; has something to tell about `/tell`."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[dict[str, str]] = []

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        effects = super().handle(event, now_ms)
        if isinstance(event, HttpRequested):
            self.told.append(dict(event.headers))
            if event.target == "/tell":
                effects.append(TellOperator("something to know"))
        return effects


def heard(run: Run, **request: Any) -> dict[str, str]:
    """Make a request and return the headers that the node was told."""
    node = Attentive()

    async def story() -> None:
        async with served(node=node) as server, httpx.AsyncClient(base_url=server.url) as http:
            assert (await http.get("/x", **request)).status_code == 200

    run(story())
    (told,) = node.told
    assert told.pop("host").startswith(LOOPBACK)
    return told


def test_only_what_is_read_is_told(run: Run) -> None:
    told = heard(run, headers={"Client_Id": "me", "secret": "hush", "T": "1", "mode": "cors"})
    assert told == {"client_id": "me", "t": "1", "x-peer-ip": LOOPBACK}


def test_what_is_signed_is_told(run: Run) -> None:
    names = {"Signature-Headers": "Area-ID::call_id:gone", "area-id": "é", "Call_id": "2"}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in names.items()]
    told = heard(run, headers=[*encoded, (b"secret", b"hush")])
    assert told == {
        "signature-headers": "Area-ID::call_id:gone",
        "area-id": "é",
        "call_id": "2",
        "x-peer-ip": LOOPBACK,
    }


def test_nobody_says_where_it_calls_from(run: Run) -> None:
    claimed = {"X-Peer-Ip": "10.0.0.1", "X-Forwarded-For": "10.0.0.1"}
    assert heard(run, headers=claimed) == {"x-peer-ip": LOOPBACK}
    signed = heard(run, headers={**claimed, "Signature-Headers": "x-peer-ip"})
    assert signed["x-peer-ip"] == LOOPBACK


def test_of_several_headers_of_one_name_the_last_counts(run: Run) -> None:
    told = heard(run, headers=[("t", "1"), ("client_id", "a"), ("T", "2"), ("client_id", "b")])
    assert told == {"t": "2", "client_id": "b", "x-peer-ip": LOOPBACK}


async def raw(server: Served, request: bytes) -> bytes:
    """Write bytes by hand and return all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection(LOOPBACK, server.ready.http_port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


def test_what_stands_behind_a_body_is_no_header(run: Run) -> None:
    node = Attentive()

    async def story() -> None:
        async with served(node=node) as server:
            head = b"POST /x HTTP/1.1\r\nHost: h\r\nT: 1\r\nConnection: close\r\n"
            head += b"Transfer-Encoding: chunked\r\n\r\n"
            answer = await raw(server, head + b"1\r\nx\r\n0\r\nClient_Id: me\r\nT: 2\r\n\r\n")
            assert answer.split()[1] == b"200"

    run(story())
    assert node.told == [{"host": "h", "t": "1", "x-peer-ip": LOOPBACK}]


@pytest.mark.parametrize(
    "line",
    [
        b"nonce: a\rclient_id: b",
        b"nonce: a\x00b",
        b"client_id : b",
        b"\x0bclient_id: b",
        b"nonce: " + b"x" * HEAD_SIZE_MAX,
    ],
)
def test_a_header_does_not_hold_another_one(run: Run, line: bytes) -> None:
    node = Attentive()

    async def story() -> None:
        async with served(node=node) as server:
            request = b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + line + b"\r\n\r\n"
            answer = await raw(server, request)
            assert answer == b"" or answer.split()[1] in (b"400", b"431")

    run(story())
    assert node.told == []


def test_what_the_operator_should_know_is_on_stderr(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        async with served(node=Attentive()) as server, httpx.AsyncClient() as http:
            await http.get(f"{server.url}/tell")

    run(story())
    assert capfd.readouterr().err == "cloud: something to know\n"
