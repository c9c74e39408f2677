"""Feeds: everybody hears everything, a slow reader hears `lost`, the end is the end."""

import asyncio

import pytest

from fleet.web import feed as feed_module
from fleet.web.feed import LOST, QUEUE_MAX, READERS_MAX, Feed, Reader, event, stream

pytestmark = pytest.mark.anyio


def test_an_event_has_a_name_and_one_line_of_json() -> None:
    assert event("light", {"text": "a\nb"}) == b'event: light\ndata: {"text":"a\\nb"}\n\n'


async def test_all_readers_hear_what_is_published_after_their_first_word() -> None:
    feed = Feed()
    readers = [feed.read(b"first"), feed.read()]
    asked = [asyncio.ensure_future(anext(reader)) for reader in readers]
    await asyncio.sleep(0)
    assert len(feed) == 2
    feed.publish("tick", 1)
    assert await asked[1] == event("tick", 1)
    assert (await asked[0]).startswith(b"first")
    for reader in readers:
        await reader.aclose()
    assert len(feed) == 0


async def test_nothing_is_encoded_for_nobody() -> None:
    Feed().publish("tick", object())


async def test_a_reader_that_does_not_keep_up_is_told_so() -> None:
    reader = Reader()
    for number in range(QUEUE_MAX + 3):
        reader.put(event("tick", number))
    heard = await anext(reader.contents())
    assert heard == LOST + b"".join(event("tick", QUEUE_MAX + extra) for extra in range(3))


async def test_a_closed_feed_ends_its_readers_and_takes_no_more() -> None:
    feed = Feed()
    asked = asyncio.ensure_future(anext(reader := feed.read()))
    await asyncio.sleep(0)
    feed.close()
    with pytest.raises(StopAsyncIteration):
        await asked
    await reader.aclose()
    assert [content async for content in feed.read(b"first")] == []


async def test_there_is_a_bound_on_readers() -> None:
    feed = Feed()
    readers = [feed.read(b"x") for _ in range(READERS_MAX)]
    for reader in readers:
        await anext(reader)
    assert [content async for content in feed.read(b"x")] == []
    for reader in readers:
        await reader.aclose()


async def test_a_quiet_stream_says_that_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "QUIET_S", 0.0)
    assert await anext(Reader().contents()) == b": quiet\n\n"


async def test_a_stream_says_how_soon_to_come_again() -> None:
    async def one() -> object:
        yield b"event"

    response = stream(one())  # type: ignore[arg-type]
    assert [part async for part in response.body_iterator] == [b"retry: 1000\n\n", b"event"]
    assert response.media_type == "text/event-stream"


async def test_what_was_said_before_the_end_is_heard() -> None:
    feed = Feed()
    reading = feed.read(b"first")
    assert await anext(reading) == b"first"
    feed.publish("ended", {})
    feed.close()
    assert [part async for part in reading] == [event("ended", {})]
