"""The symbol on the phone's screen: what is in it, how it looks, where it is written."""

import io
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from firmware_sim.errors import UsageError
from firmware_sim.wire.provisioning import QrText, decode_qr
from fleet.app import qr

SYMBOL = qr.payload("Café 5 GHz", 'p"w\\é', "EUabcdefghpr_0")


def read(picture: Image.Image) -> bytes:
    [found] = zxingcpp.read_barcodes(picture, text_mode=zxingcpp.TextMode.Plain)
    return bytes(found.bytes)


def test_the_payload_is_what_a_device_reads() -> None:
    assert decode_qr(SYMBOL) == QrText("Café 5 GHz", 'p"w\\é', "EUabcdefghpr_0")


def test_a_name_that_no_access_point_has_is_refused() -> None:
    with pytest.raises(UsageError, match="32 bytes"):
        qr.payload("é" * 17, "", "EUabcdefghpr_0")


def test_a_png_holds_the_exact_bytes(tmp_path: Path) -> None:
    qr.save(SYMBOL, tmp_path / "code.PNG")
    assert read(Image.open(tmp_path / "code.PNG")) == SYMBOL


def test_an_svg_is_written(tmp_path: Path) -> None:
    qr.save(SYMBOL, tmp_path / "code.svg")
    assert b"<svg" in (tmp_path / "code.svg").read_bytes()[:200]


def test_the_terminal_shows_the_same_symbol() -> None:
    """Half blocks read as a dark terminal shows them: a lit half is a light module."""
    lines = qr.terminal_text(SYMBOL).splitlines()
    lit = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}
    rows = [[lit[char][half] for char in line] for line in lines for half in (0, 1)]
    picture = Image.new("L", (len(rows[0]), len(rows)))
    picture.putdata([value for row in rows for value in row])
    assert read(picture.resize((picture.width * 4, picture.height * 4), 0)) == SYMBOL


@pytest.mark.parametrize("name", ["code.gif", "code", "none/code.png"])
def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        qr.save(SYMBOL, tmp_path / name)


def test_a_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "code.png").mkdir()
    with pytest.raises(UsageError, match=r"cannot write the QR picture"):
        qr.save(SYMBOL, tmp_path / "code.png")


def test_a_picture_can_be_had_without_a_file() -> None:
    assert read(Image.open(io.BytesIO(qr.picture(SYMBOL, "png")))) == SYMBOL
    vector = qr.picture(SYMBOL, "svg")
    assert b"<svg" in vector[:200]
    assert b"Caf" not in vector
