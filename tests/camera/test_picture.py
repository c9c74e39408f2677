"""Pictures that people bring: what is read, and what is refused before it costs anything.

Colours, transparency and damaged files are tested with the command that reads files
(tests/commands/test_picture.py).
"""

import io

import pytest
from PIL import Image

from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.picture import code_in
from firmware_sim.camera.symbol import flat_picture
from firmware_sim.errors import UsageError

PAYLOAD = "Café".encode()


def picture(kind: str = "PNG") -> io.BytesIO:
    content = io.BytesIO()
    Image.fromarray(flat_picture(PAYLOAD)).save(content, kind)
    content.seek(0)
    return content


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_the_formats_of_phones_are_read(kind: str) -> None:
    assert code_in(picture(kind), "x", make_decoder("zxing")) == PAYLOAD


def test_another_format_is_no_picture() -> None:
    with pytest.raises(UsageError, match=r"^x: not a picture"):
        code_in(picture("TIFF"), "x", make_decoder("zxing"), formats=("PNG",))


def test_too_many_pixels_are_refused_before_one_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("decoded"))
    with pytest.raises(UsageError, match=r"^x: too large"):
        code_in(picture(), "x", make_decoder("zxing"), pixels_max=100)


def test_a_photograph_in_the_colours_of_printers() -> None:
    content = io.BytesIO()
    Image.fromarray(flat_picture(PAYLOAD)).convert("CMYK").save(content, "JPEG")
    content.seek(0)
    assert code_in(content, "x", make_decoder("zxing")) == PAYLOAD
