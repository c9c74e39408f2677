"""Pictures from elsewhere in place of a lens."""

import asyncio
from pathlib import Path

import pytest

from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.errors import UsageError
from firmware_sim.runtime.live.scaled import ScaledLoop
from fleet.app import qr
from fleet.hil.host import Plan, open_host
from fleet.hil.live_camera import watch


def seen_in(source: Path) -> list[bytes]:
    seen: list[bytes] = []

    async def main() -> None:
        async with FrameReader() as reader:
            await watch(str(source), reader, seen.append)

    asyncio.run(main())
    return seen


def test_a_code_in_a_picture_is_told(tmp_path: Path) -> None:
    picture = tmp_path / "code.png"
    qr.save(b"in view", picture)
    assert seen_in(picture) == [b"in view"]


def test_a_source_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        seen_in(tmp_path / "nothing")


def test_a_device_that_waits_takes_the_code_that_a_camera_sees(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "a-holiday.png").write_bytes(b"no picture at all")

    async def main() -> str:
        plan = Plan("ipc-new", tmp_path / "serial", bound=False, camera=str(pictures), rate=10)
        async with open_host(plan) as host, asyncio.timeout(600):
            [stand] = host.stands
            stand.switch("power", on=True)
            while stand.about().light != "waiting":
                await asyncio.sleep(0.1)
            text = await stand.code("pair", None)
            qr.save(text.encode(), pictures / "code.png")
            while stand.about().light != "online":
                host.check()
                await asyncio.sleep(0.1)
            return stand.about().light

    with asyncio.Runner(loop_factory=ScaledLoop) as runner:
        assert runner.run(main()) == "online"


@pytest.mark.parametrize(("profile", "words"), [("nvr", "has no lens"), ("ipc-new", "cannot be")])
def test_a_bench_without_what_it_needs_says_so(tmp_path: Path, profile: str, words: str) -> None:
    async def main() -> None:
        plan = Plan(profile, tmp_path, camera=str(tmp_path / "nothing"))
        async with open_host(plan) as host:
            while True:
                host.check()
                await asyncio.sleep(0.01)

    with asyncio.Runner(loop_factory=ScaledLoop) as runner, pytest.raises(UsageError, match=words):
        runner.run(main())
