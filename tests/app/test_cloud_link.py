"""The phone's HTTP: patience with a cloud that comes and goes, and no double work."""

import asyncio
from itertools import islice

import httpx
import pytest

from firmware_sim.errors import Malformed, TooLarge, UsageError
from fleet.app.carrier import REPLY_SIZE_MAX
from fleet.app.cloud_link import CloudLink, pauses_s
from fleet.app.errors import CloudRefused, CloudUnreachable
from fleet.app.messages import Credentials
from tests.app.fake_cloud import FakeCloud

SENT = [httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.WriteError]
NOT_SENT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout]


def call(cloud: FakeCloud, *, repeatable: bool = True, patience_s: float = 5.0) -> int:
    async def story() -> int:
        async with cloud.link(patience_s) as link:
            return await link.call("GET", "/x", int, repeatable=repeatable)

    return asyncio.run(story())


def test_pauses_grow_to_a_limit() -> None:
    assert list(islice(pauses_s(), 7)) == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_a_call_carries_session_query_and_body(cloud: FakeCloud) -> None:
    cloud.accept(7)

    async def story() -> int:
        async with cloud.link() as link:
            return await link.call(
                "POST", "/x", int, session="s3", query={"a": 1}, body=Credentials("n", "p")
            )

    assert asyncio.run(story()) == 7
    [request] = cloud.requests
    assert str(request.url) == "http://cloud.test:8080/x?a=1"
    assert request.headers["authorization"] == "Bearer s3"
    assert request.content == b'{"name":"n","password":"p"}'


def test_a_call_without_session_has_no_authorization(cloud: FakeCloud) -> None:
    cloud.accept(7)
    call(cloud)
    assert "authorization" not in cloud.requests[0].headers


def test_a_refusal_is_not_repeated(cloud: FakeCloud) -> None:
    cloud.refuse("no_permission", "not yours")
    with pytest.raises(CloudRefused, match=r"not yours \(no_permission\)") as caught:
        call(cloud)
    assert caught.value.code == "no_permission"
    assert len(cloud.requests) == 1


@pytest.mark.parametrize("error", NOT_SENT)
def test_what_was_not_sent_is_repeated_whatever_it_is(
    cloud: FakeCloud, error: type[httpx.TransportError]
) -> None:
    cloud.fail(error)
    cloud.accept(7)
    assert call(cloud, repeatable=False) == 7
    assert len(cloud.requests) == 2


@pytest.mark.parametrize("error", SENT)
def test_what_may_have_arrived_is_repeated_only_if_that_does_no_harm(
    cloud: FakeCloud, error: type[httpx.TransportError]
) -> None:
    cloud.fail(error)
    cloud.accept(7)
    with pytest.raises(CloudUnreachable, match="whether it was carried out is unknown"):
        call(cloud, repeatable=False)
    assert call(cloud) == 7


def test_a_cloud_that_fails_inside_is_asked_again(cloud: FakeCloud) -> None:
    cloud.answer(503)
    cloud.accept(7)
    assert call(cloud) == 7


def test_patience_ends(cloud: FakeCloud) -> None:
    cloud.fail(httpx.ConnectError)
    with pytest.raises(CloudUnreachable, match=r"no answer within 0\.2 s \(ConnectError\)"):
        call(cloud, patience_s=0.2)
    assert len(cloud.requests) == 2


@pytest.mark.parametrize("status", [302, 400, 404, 413])
def test_an_answer_that_is_not_the_clouds_is_a_peers_mistake(cloud: FakeCloud, status: int) -> None:
    cloud.answer(status)
    with pytest.raises(Malformed, match=f"HTTP {status} on /x"):
        call(cloud)


def test_an_endless_reply_is_cut_off(cloud: FakeCloud) -> None:
    cloud.answer(200, b" " * (REPLY_SIZE_MAX + 1))
    with pytest.raises(TooLarge):
        call(cloud)


@pytest.mark.parametrize("url", ["", "cloud", "ftp://h", "http://", "http://[::", "localhost:80"])
def test_a_url_must_be_one(url: str) -> None:
    with pytest.raises(UsageError, match="is not the URL of a cloud"):
        CloudLink(url)


def test_calls_beyond_the_number_of_connections_wait_their_turn() -> None:
    at_once: list[int] = []
    under_way = 0

    async def slow(_: httpx.Request) -> httpx.Response:
        nonlocal under_way
        under_way += 1
        at_once.append(under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return httpx.Response(200, content=b'{"success":true,"result":7}')

    async def story() -> list[int]:
        link = CloudLink("http://c", connections_max=3, transport=httpx.MockTransport(slow))
        async with link:
            return await asyncio.gather(*(link.call("GET", "/x", int) for _ in range(20)))

    assert asyncio.run(story()) == [7] * 20
    assert max(at_once) == 3


def test_a_certificate_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match=r"nowhere\.pem: no certificates"):
        CloudLink("https://c", ca_file="nowhere.pem")
