"""Each call of the consumer app: the request it makes and the struct it returns."""

import asyncio

import httpx
import pytest

from fleet.app.consumer import ConsumerClient, register
from fleet.app.errors import CloudRefused, CloudUnreachable
from fleet.app.messages import OwnedDevice, PairedDevice, PairFailure, PairResult
from tests.app.fake_cloud import FakeCloud


def test_an_end_user_registers_pairs_lists_and_removes(cloud: FakeCloud) -> None:
    cloud.accept({"uid": "u1"})
    cloud.accept({"session": "s", "uid": "u1"})
    cloud.accept({"token": "EUabcdefghpr_0", "expires_ms": 9})
    cloud.accept(
        {"success": [{"uuid": "a", "dev_id": "d"}], "failed": [{"uuid": "b", "code": "c"}]}
    )
    cloud.accept([{"dev_id": "d", "uuid": "a", "product_id": "p", "name": "n", "online": True}])
    cloud.accept(True)

    async def story() -> None:
        async with cloud.link() as link:
            assert await register(link, "eve", "pw") == "u1"
            eve = await ConsumerClient.login(link, "eve", "pw")
            token = await eve.pair_token()
            assert await eve.pair_result(token.token) == PairResult(
                (PairedDevice("a", "d"),), (PairFailure("b", "c"),)
            )
            assert await eve.devices() == (OwnedDevice("d", "a", "p", "n", online=True),)
            await eve.remove("d", wipe=True)

    asyncio.run(story())
    assert cloud.asked == [
        "POST /app/v1/register",
        "POST /app/v1/login",
        "POST /app/v1/pair-tokens",
        "GET /app/v1/pair-tokens/EUabcdefghpr_0",
        "GET /app/v1/devices",
        "DELETE /app/v1/devices/d?wipe=1",
    ]


def test_registration_is_not_repeated_when_it_may_have_arrived(cloud: FakeCloud) -> None:
    cloud.fail(httpx.ReadError)

    async def story() -> None:
        async with cloud.link() as link:
            await register(link, "eve", "pw")

    with pytest.raises(CloudUnreachable):
        asyncio.run(story())
    assert len(cloud.requests) == 1


def test_removal_is_not_repeated_when_it_may_have_arrived(cloud: FakeCloud) -> None:
    cloud.accept({"session": "s", "uid": "u1"})
    cloud.fail(httpx.ReadError)

    async def story() -> None:
        async with cloud.link() as link:
            await (await ConsumerClient.login(link, "eve", "pw")).remove("d")

    with pytest.raises(CloudUnreachable):
        asyncio.run(story())
    assert len(cloud.requests) == 2


def test_a_taken_name_is_a_refusal(cloud: FakeCloud) -> None:
    cloud.refuse("name_taken")

    async def story() -> None:
        async with cloud.link() as link:
            await register(link, "eve", "pw")

    with pytest.raises(CloudRefused, match="name_taken"):
        asyncio.run(story())
