"""One process for one picture: its answers, and what a hostile file costs."""

import io
import subprocess
import sys
import zlib

import pytest
from PIL import Image

from firmware_sim.camera import picture_worker
from firmware_sim.camera.picture_worker import READ, SIZE_MAX, UNREAD, read, serve
from firmware_sim.camera.symbol import flat_picture

PAYLOAD = b'{"s":"home","p":"pw","t":"EUabcdefghpr_0"}'


def picture() -> bytes:
    content = io.BytesIO()
    Image.fromarray(flat_picture(PAYLOAD)).save(content, "PNG")
    return content.getvalue()


def bomb(side_px: int) -> bytes:
    """Return a small PNG file with very many pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + kind + body + check

    head = side_px.to_bytes(4, "big") * 2 + bytes((1, 0, 0, 0, 0))
    rows = zlib.compress(bytes((side_px // 8 + 1) * 64))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_the_process_reads_a_picture() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "firmware_sim.camera.picture_worker", "zxing"],
        input=picture(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == READ + PAYLOAD


def test_an_answer_is_written() -> None:
    answers = io.BytesIO()
    serve(io.BytesIO(picture()), answers, "zxing")
    assert answers.getvalue() == READ + PAYLOAD


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", b"not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", b"not a picture"),
        (bomb(5000), b"too large"),
        (bomb(60_000), b"too large"),
        (picture()[:200], b"cannot be read"),
        (bytes(SIZE_MAX + 1), b"more than 5 MB"),
    ],
    ids=["empty", "svg", "postscript", "bomb", "large bomb", "cut off", "too many bytes"],
)
def test_what_is_refused(content: bytes, why: bytes) -> None:
    answer = read(content, "zxing")
    assert answer.startswith(UNREAD + b"the picture: ")
    assert why in answer


def test_an_unknown_decoder_is_said() -> None:
    assert read(picture(), "eagle").startswith(UNREAD + b"decoder 'eagle'")


def test_what_memory_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(picture_worker, "code_in", fail)
    assert read(picture(), "zxing") == UNREAD + b"the picture: too large a picture"
