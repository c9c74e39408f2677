"""Pictures are read in processes of their own, a few at a time, and a broken one costs itself."""

import asyncio
import io

import pytest
from PIL import Image

from firmware_sim.camera.symbol import flat_picture
from firmware_sim.errors import UsageError
from fleet.web.demo import pictures
from fleet.web.demo.pictures import PictureReader

pytestmark = pytest.mark.anyio
PAYLOAD = b'{"s":"home","p":"pw","t":"EUabcdefghpr_0"}'


def picture() -> bytes:
    content = io.BytesIO()
    Image.fromarray(flat_picture(PAYLOAD)).save(content, "PNG")
    return content.getvalue()


async def test_a_picture_is_read_and_another_one_is_refused() -> None:
    reader = PictureReader("zxing")
    read, refused = await asyncio.gather(
        reader.read(picture()), reader.read(b"nonsense"), return_exceptions=True
    )
    assert read == PAYLOAD
    assert isinstance(refused, UsageError)
    assert "not a picture" in str(refused)


async def test_whoever_reads_pictures_is_told_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, str]] = []

    async def start(*_: object, env: dict[str, str], **__: object) -> Process:
        told.append(env)
        return Process()

    monkeypatch.setenv("FLEET_WEB_PASSWORD", "correct horse")
    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    with pytest.raises(UsageError):
        await PictureReader("zxing").read(b"")
    assert "correct horse" not in told[0].values()
    assert {"PATH", "PYTHONPATH"} <= told[0].keys()


class Process:
    """A worker that does not do its work."""

    def __init__(self, *, hangs: bool = False, status: int = -11) -> None:
        self.returncode: int | None = None if hangs else status
        self.killed = False

    async def communicate(self, _: bytes) -> tuple[bytes, bytes]:
        if self.returncode is None:
            await asyncio.Event().wait()
        return b"", b""

    def kill(self) -> None:
        self.killed = True

    async def wait(self) -> None:
        """It is over at once."""


async def played(monkeypatch: pytest.MonkeyPatch, process: Process) -> None:
    async def start(*_: object, **__: object) -> Process:
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)


async def test_a_decoder_that_dies_costs_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    await played(monkeypatch, Process())
    with pytest.raises(UsageError, match="cannot be read"):
        await PictureReader("zxing").read(b"picture")


async def test_a_decoder_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "TIMEOUT_S", 0.0)
    process = Process(hangs=True)
    await played(monkeypatch, process)
    with pytest.raises(UsageError, match="too long"):
        await PictureReader("zxing").read(b"picture")
    assert process.killed


async def test_too_many_at_once_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "WAITING_MAX", 0)
    with pytest.raises(UsageError, match="try again"):
        await PictureReader("zxing").read(b"picture")
