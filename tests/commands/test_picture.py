"""A QR code in a picture file is read once; what is no picture or no code is one line."""

from pathlib import Path

import pytest
from PIL import Image

from firmware_sim.errors import UsageError
from fleet.app import qr
from fleet.commands.picture import read_code

PAYLOAD = qr.payload("Café", "pw", "EUabcdefghpr_0")
DECODER = "zxing"


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA"])
def test_a_code_is_read_whatever_the_colours(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "code.png"
    qr.save(PAYLOAD, path)
    Image.open(path).convert(mode).save(path)
    assert read_code(path, DECODER) == PAYLOAD


def test_transparency_is_paper(tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    qr.save(PAYLOAD, path)
    grey = Image.open(path).convert("L")
    Image.merge("LA", (Image.new("L", grey.size), grey.point(lambda level: 255 - level))).save(path)
    assert read_code(path, DECODER) == PAYLOAD


def test_a_photograph_is_made_smaller_first(tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    qr.save(PAYLOAD, path)
    Image.open(path).convert("L").resize((4000, 4000)).save(path)
    assert read_code(path, DECODER) == PAYLOAD


def test_a_picture_without_code(tmp_path: Path) -> None:
    path = tmp_path / "white.png"
    Image.new("L", (64, 64), 255).save(path)
    with pytest.raises(UsageError, match="no QR code can be read"):
        read_code(path, DECODER)


def test_a_file_that_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "code.svg"
    qr.save(PAYLOAD, path)
    with pytest.raises(UsageError, match="not a picture"):
        read_code(path, DECODER)


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    Image.effect_noise((200, 200), 50).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UsageError, match="cannot be read"):
        read_code(path, DECODER)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.png: cannot be read \(No such file"):
        read_code(tmp_path / "none.png", DECODER)


@pytest.mark.parametrize("factor", [1.5, 4])
def test_a_picture_that_would_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    path = tmp_path / "large.png"
    Image.new("L", (100, 100)).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(10_000 / factor))
    with pytest.raises(UsageError, match="too large a picture"):
        read_code(path, DECODER)
