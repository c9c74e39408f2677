import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.errors import UsageError
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.messages import Ticket
from fleet.cloud.edge.listen import bind
from fleet.cloud.edge.process import ServerConfig
from fleet.cloud.edge.server import Ready
from fleet.run import cloud_host, seeding
from fleet.run.cloud_host import CloudHost
from fleet.run.hosting import in_loop
from tests.run.fakes import small

from .support import family

POPULATION = small(4)


class House:
    """A cloud, and what it said when it died."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.died: asyncio.Queue[str] = asyncio.Queue()
        self.host = CloudHost(
            ServerConfig(
                data=str(folder),
                settings=seeding.settings(POPULATION, "secret", 0),
                seed=seeding.seed(POPULATION, bound=True),
                **config,
            ),
            self.died.put_nowait,
        )

    async def raise_limit(self, limit: int) -> int:
        maker = POPULATION.maker
        async with CloudLink(self.host.url) as link:
            console = await ConsoleClient.login(link, maker.name, maker.password)
            if limit:
                await console.ticket(Ticket("account", maker.name, limit))
            return (await console.quotas()).account.limit


def play(folder: Path, story: Callable[[House], Awaitable[None]], **config: object) -> None:
    async def scene() -> None:
        house = House(folder, **config)
        assert house.host.pid == 0
        try:
            await story(house)
        finally:
            await house.host.stop(1.0)
            await house.host.stop(1.0)  # a second time does no harm

    in_loop(scene())
    assert family() == set()


def test_it_comes_back_on_the_same_ports_with_the_same_data(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.host.start()
        before = house.host.ready
        assert await house.raise_limit(777) == 777
        os.kill(house.host.pid, signal.SIGKILL)
        assert await house.died.get() == ""
        await house.host.replace()
        assert (house.host.ready, house.host.generation) == (before, 1)
        assert await house.raise_limit(0) == 777

    play(tmp_path, story)


async def is_reached(cloud: Ready) -> bool:
    """Say whether somebody listens; the kernel takes its time over what a killed process held."""
    try:
        _, writer = await asyncio.open_connection(cloud.host, cloud.http_port)
    except ConnectionError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize("politely", [True, False])
def test_one_that_is_away_on_purpose_comes_back_by_itself(
    tmp_path: Path, *, politely: bool
) -> None:
    async def story(house: House) -> None:
        await house.host.start()
        before, pid = house.host.ready, house.host.pid
        away = asyncio.create_task(house.host.be_away(0.3, politely=politely))
        async with asyncio.timeout(10):
            while house.host.pid:
                await asyncio.sleep(0.01)
            while await is_reached(before):
                await asyncio.sleep(0.01)
        await away
        assert house.host.ready == before
        assert house.host.pid not in (0, pid)
        assert house.host.generation == 0, "nobody had to replace it"
        assert house.died.empty()
        await house.host.replace()
        assert house.host.generation == 0, "it has not died"

    play(tmp_path, story)


def test_one_that_stands_still_takes_calls_and_answers_afterwards(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.host.start()
        pid = house.host.pid
        still = asyncio.create_task(house.host.stand_still(0.5))
        await asyncio.sleep(0.1)
        assert await is_reached(house.host.ready), "the kernel answers for it"
        asked = asyncio.create_task(house.raise_limit(777))
        await asyncio.sleep(0.1)
        assert not asked.done()
        await still
        assert await asked == 777
        assert (house.host.pid, house.host.generation) == (pid, 0)
        assert house.died.empty()

    play(tmp_path, story)


def test_one_that_dies_or_is_ended_while_it_stands_still(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.host.start()
        still = asyncio.create_task(house.host.stand_still(0.2))
        await asyncio.sleep(0.05)
        os.kill(house.host.pid, signal.SIGKILL)
        await house.died.get()
        await asyncio.gather(still, house.host.replace())
        assert await house.raise_limit(0) == 100
        still = asyncio.create_task(house.host.stand_still(60))
        await asyncio.sleep(0.05)
        still.cancel()  # as when a run is broken off
        await asyncio.gather(still, return_exceptions=True)
        assert await house.raise_limit(0) == 100

    play(tmp_path, story)


def test_one_that_has_just_died_can_be_away_too(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.host.start()
        os.kill(house.host.pid, signal.SIGKILL)
        await house.died.get()
        await asyncio.gather(
            house.host.be_away(0.01, politely=False), house.host.replace(), house.host.replace()
        )
        assert house.host.generation == 0
        assert await house.raise_limit(0) == 100

    play(tmp_path, story)


def test_one_that_keeps_dying_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_host, "REPLACEMENTS_MAX", 0)

    async def story(house: House) -> None:
        await house.host.start()
        os.kill(house.host.pid, signal.SIGKILL)
        await house.died.get()
        with pytest.raises(UsageError, match="the cloud died 1 times"):
            await house.host.replace()

    play(tmp_path, story)


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as taken:

        async def story(house: House) -> None:
            with pytest.raises(UsageError, match="the port is in use") as caught:
                await house.host.start()
            assert "\n" not in str(caught.value)

        play(tmp_path, story, http_port=taken.getsockname()[1])


def test_one_that_never_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_host, "START_S", 0.001)

    async def story(house: House) -> None:
        with pytest.raises(UsageError, match="did not start within"):
            await house.host.start()

    play(tmp_path, story)


def test_one_that_does_not_want_to_end_is_ended(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.host.start()
        os.kill(house.host.pid, signal.SIGSTOP)
        await house.host.stop(0.1)
        assert house.died.empty()

    play(tmp_path, story)
