"""A QR code in a picture file is read; what is no picture, no code or no code of ours is one line."""

import asyncio
from pathlib import Path

import pytest
import segno

from firmware_sim.errors import UsageError
from fleet.app import qr
from fleet.commands.picture import read_code
from tests.camera.pictures import bomb, picture

PAYLOAD = qr.payload("Café", "pw", "EUabcdefghpr_0")


def read(path: Path) -> bytes:
    return asyncio.run(read_code(path, "zxing"))


def test_a_code_is_read(tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    qr.save(PAYLOAD, path)
    assert read(path) == PAYLOAD


def test_more_than_a_phone_before_a_lens_draws(tmp_path: Path) -> None:
    path = tmp_path / "3kb.png"
    segno.make(bytes(2953), mode="byte", error="l", micro=False).save(str(path), scale=4)
    with pytest.raises(UsageError, match=r"3kb\.png: QR code of 2953 bytes: must be 1 to 2331"):
        read(path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<svg/>", "not a picture"),
        (picture()[:200], "the picture is damaged"),
        (bomb(10_000), "a decompression bomb: 157 bytes"),
        (bomb(10_000) + bytes(1_000_000), "10000 x 10000: 100 megapixels, at most 50"),
    ],
    ids=["svg", "cut off", "bomb", "100 megapixels"],
)
def test_what_cannot_be_read(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "code.png"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"code\.png: {why}"):
        read(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.png: cannot be read \(No such file"):
        read(tmp_path / "none.png")
