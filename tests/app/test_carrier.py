"""One attempt over HTTP: what it sends, and whether the cloud may have heard a call that failed."""

import asyncio

import httpx
import pytest

from firmware_sim.errors import Malformed, TooLarge, UsageError
from fleet.app.carrier import (
    REPLY_SIZE_MAX,
    HttpCarrier,
    Interrupted,
    NotSent,
    Request,
    trust_in,
)

URL = "http://cloud.test"
REQUEST = Request("POST", "/x", {"a": 1}, "s3cret", b"body")


def attempt(answer: httpx.Response | Exception, url: str = URL) -> tuple[bytes, httpx.Request]:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def story() -> bytes:
        transport = httpx.MockTransport(handle)
        carrier = HttpCarrier(url, timeout_s=1, connections_max=2, transport=transport)
        try:
            return await carrier.exchange(REQUEST)
        finally:
            await carrier.close()

    return asyncio.run(story()), asked[0]


def test_a_request_has_its_query_its_session_and_its_body() -> None:
    reply, asked = attempt(httpx.Response(200, content=b"reply"))
    assert reply == b"reply"
    assert (asked.method, str(asked.url)) == ("POST", f"{URL}/x?a=1")
    assert (asked.headers["authorization"], asked.content) == ("Bearer s3cret", b"body")


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_without_a_connection_nothing_was_sent(error: type[httpx.TransportError]) -> None:
    with pytest.raises(NotSent, match="refused"):
        attempt(error("refused"))


@pytest.mark.parametrize("error", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError])
def test_afterwards_it_may_have_been_heard(error: type[httpx.TransportError]) -> None:
    with pytest.raises(Interrupted, match=error.__name__):
        attempt(error(""))


def test_a_server_that_cannot_answer_may_have_heard() -> None:
    with pytest.raises(Interrupted, match="HTTP 503"):
        attempt(httpx.Response(503))


def test_what_is_no_cloud_of_ours_is_the_peer_s_mistake() -> None:
    with pytest.raises(Malformed, match="HTTP 404 on /x"):
        attempt(httpx.Response(404))
    with pytest.raises(TooLarge):
        attempt(httpx.Response(200, content=bytes(REPLY_SIZE_MAX + 1)))


def test_an_unknown_authority_is_explained() -> None:
    with pytest.raises(UsageError, match="SSL_CERT_FILE"):
        attempt(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    with pytest.raises(UsageError, match="no certificates"):
        trust_in("https://cloud.test", "nowhere.pem")
    assert trust_in(URL, "nowhere.pem") is True


def test_a_request_does_not_show_what_is_secret() -> None:
    assert repr(REQUEST) == "Request(POST /x)"
