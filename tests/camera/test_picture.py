"""Pictures that people bring: what is read, and what is refused before it costs anything."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.picture import FORMATS, looks_like_picture, read
from firmware_sim.camera.shots import Outcome
from firmware_sim.camera.strategy import Strategy
from firmware_sim.camera.symbol import Luma, flat_picture
from tests.camera.pictures import PAYLOAD, bomb, picture, text_bomb

DECODER = Strategy(make_decoder("zxing"))


def saved(image: Image.Image, kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    image.save(content, kind)
    return content.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_known_and_read(kind: str) -> None:
    content = picture(kind)
    assert looks_like_picture(content[:12])
    result = read(content, DECODER)
    assert (result.outcome, result.text, result.problem) == (Outcome.READ, PAYLOAD, "")


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P", "CMYK"])
def test_a_code_is_read_whatever_the_colours(mode: str) -> None:
    image = Image.fromarray(flat_picture(PAYLOAD)).convert(mode)
    assert read(saved(image, "TIFF"), DECODER).text == PAYLOAD


def test_transparency_is_paper() -> None:
    grey = Image.fromarray(flat_picture(PAYLOAD))
    clear = Image.merge(
        "LA", (Image.new("L", grey.size), grey.point([255 - level for level in range(256)]))
    )
    assert read(saved(clear), DECODER).text == PAYLOAD


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_photograph_is_made_smaller_first(kind: str) -> None:
    large = Image.fromarray(flat_picture(PAYLOAD)).resize((4000, 4000))
    seen: list[Luma] = []

    class Recorder(Strategy):
        def decode(self, luma: Luma) -> bytes | None:
            seen.append(luma)
            return super().decode(luma)

    assert read(saved(large, kind), Recorder(make_decoder("zxing"))).text == PAYLOAD
    assert [luma.shape for luma in seen] == [(1600, 1600)]
    assert read(np.asarray(large), DECODER).text == PAYLOAD


def test_a_code_with_its_colours_turned_around() -> None:
    assert read(255 - flat_picture(PAYLOAD), DECODER).text == PAYLOAD


def test_a_picture_without_code() -> None:
    result = read(saved(Image.new("L", (64, 64), 255)), DECODER)
    assert (result.outcome, result.problem) == (Outcome.NOTHING, "no QR code can be read in it")


@pytest.mark.parametrize(
    ("content", "outcome", "why"),
    [
        (b"", Outcome.NO_PICTURE, "not a picture"),
        (b"{}", Outcome.NO_PICTURE, "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Outcome.NO_PICTURE, "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", Outcome.NO_PICTURE, "not a picture"),
        (picture()[:12], Outcome.DAMAGED, "damaged"),
        (picture()[:200], Outcome.DAMAGED, "damaged"),
        (picture("JPEG")[:300], Outcome.DAMAGED, "damaged"),
        (picture("GIF")[:100], Outcome.DAMAGED, "damaged"),
        (text_bomb(), Outcome.DAMAGED, "Decompressed data too large"),
        (bomb(10_000), Outcome.TOO_LARGE, "decompression bomb: 157 bytes"),
        (bomb(60_000), Outcome.TOO_LARGE, "decompression bomb"),
    ],
    ids=lambda value: value.name if isinstance(value, Outcome) else str(len(value)),
)
def test_what_is_refused(content: bytes, outcome: Outcome, why: str) -> None:
    result = read(content, DECODER)
    assert (result.outcome, result.text) == (outcome, None)
    assert why in result.problem
    assert "\n" not in result.problem


def test_a_picture_of_100_megapixels_is_refused_before_one_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("decoded"))
    content = bomb(10_000) + bytes(1_000_000)  # as many bytes as a picture of something has
    result = read(content, DECODER)
    assert result.outcome is Outcome.TOO_LARGE
    assert result.problem == "10000 x 10000: 100 megapixels, at most 50"


def test_what_memory_does_not_hold() -> None:
    class Hungry(Strategy):
        def decode(self, luma: Luma) -> bytes | None:
            raise MemoryError

    assert read(picture(), Hungry(make_decoder("zxing"))).outcome is Outcome.TOO_LARGE


def test_a_damaged_file_at_every_byte(tmp_path: Path) -> None:
    content = picture()
    for size in range(0, len(content), 7):
        result = read(content[:size], DECODER)
        assert result.outcome in (Outcome.NO_PICTURE, Outcome.DAMAGED, Outcome.READ), size
