"""Following a batch: every row once, over pages, with the token's state beside it."""

import asyncio
from typing import Any

from fleet.app.console_client import ConsoleClient
from fleet.app.follow import PAGE_ROWS, Progress, follow, history_rows
from tests.app.fake_cloud import FakeCloud


def token(used: int) -> dict[str, Any]:
    return {
        "token": "EUabcdefghpr_0",
        "batch": "b1",
        "method": "qr",
        "max_devices": 30,
        "expires_ms": 9,
        "used": used,
    }


def page(*ids: int, further: int | None = None) -> dict[str, Any]:
    rows = [{"id": i, "time_ms": i, "operation": "unbind", "status": "ok"} for i in ids]
    return {"rows": rows, "next": further}


def test_progress_has_each_row_once(cloud: FakeCloud) -> None:
    cloud.accept({"session": "s"})
    for reply in (token(0), page(), token(2), page(4, 5), token(3), page(9)):
        cloud.accept(reply)

    async def story() -> list[Progress]:
        seen = []
        async with cloud.link() as link:
            console = await ConsoleClient.login(link, "ann", "pw")
            async for progress in follow(console, "b1", poll_s=0):
                seen.append(progress)
                if progress.token.used == 3:
                    break
        return seen

    seen = asyncio.run(story())
    assert [[row.id for row in progress.rows] for progress in seen] == [[], [4, 5], [9]]
    assert [progress.token.used for progress in seen] == [0, 2, 3]
    asked = [request.url.params["after"] for request in cloud.requests[2::2]]
    assert asked == ["0", "0", "5"]


def ids(cloud: FakeCloud) -> list[int]:
    async def story() -> list[int]:
        async with cloud.link() as link:
            console = await ConsoleClient.login(link, "ann", "pw")
            return [row.id async for row in history_rows(console, status="ok")]

    return asyncio.run(story())


def test_pages_are_turned_to_the_end(cloud: FakeCloud) -> None:
    cloud.accept({"session": "s"})
    cloud.accept(page(1, 2, further=2))
    cloud.accept(page(3))
    assert ids(cloud) == [1, 2, 3]
    assert cloud.asked[1:] == [
        f"GET /console/v1/history?after={after}&limit={PAGE_ROWS}&status=ok" for after in (0, 2)
    ]


def test_a_cursor_that_stands_still_ends_the_search(cloud: FakeCloud) -> None:
    cloud.accept({"session": "s"})
    cloud.accept(page(1, further=0))
    assert ids(cloud) == [1]
    assert len(cloud.requests) == 2
