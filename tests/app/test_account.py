"""A login that the cloud has forgotten is renewed once, and only then."""

import asyncio

import pytest

from fleet.app.console_client import ConsoleClient
from fleet.app.errors import CloudRefused
from tests.app.fake_cloud import FakeCloud


async def products_twice(cloud: FakeCloud) -> None:
    async with cloud.link() as link:
        console = await ConsoleClient.login(link, "ann", "pw")
        await console.products()


def test_a_forgotten_session_logs_in_again(cloud: FakeCloud) -> None:
    cloud.accept({"session": "one", "name": "ann"})
    cloud.refuse("no_session")
    cloud.accept({"session": "two", "name": "ann"})
    cloud.accept([])
    asyncio.run(products_twice(cloud))
    assert [request.headers.get("authorization") for request in cloud.requests] == [
        None,
        "Bearer one",
        None,
        "Bearer two",
    ]


def test_a_session_that_is_never_good_ends_in_a_refusal(cloud: FakeCloud) -> None:
    cloud.accept({"session": "one"})
    cloud.refuse("no_session")
    cloud.accept({"session": "two"})
    cloud.refuse("no_session")
    with pytest.raises(CloudRefused, match="no_session"):
        asyncio.run(products_twice(cloud))
    assert len(cloud.requests) == 4


def test_another_refusal_does_not_log_in_again(cloud: FakeCloud) -> None:
    cloud.accept({"session": "one"})
    cloud.refuse("no_permission")
    with pytest.raises(CloudRefused, match="no_permission"):
        asyncio.run(products_twice(cloud))
    assert len(cloud.requests) == 2
