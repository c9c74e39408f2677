"""Pictures of strangers: two at once, and a process for each."""

import asyncio

import pytest

from fleet.web.pictures import picture_reader
from tests.camera.pictures import PAYLOAD, picture

pytestmark = pytest.mark.anyio


async def test_each_picture_has_a_process_of_its_own() -> None:
    async with picture_reader("zxing") as reader:
        reading = [asyncio.create_task(reader.code_in(picture())) for _ in range(3)]
        most = 0
        while not all(task.done() for task in reading):
            most = max(most, len(reader.worker_pids))
            await asyncio.sleep(0.001)
        assert [task.result() for task in reading] == [PAYLOAD] * 3
        assert most <= 2
        assert (reader.stats.started, reader.worker_pids) == (3, ())
