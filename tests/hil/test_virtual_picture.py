"""Pictures for the lens, good and bad: each is read in another process, and the why is told."""

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from firmware_sim.errors import UsageError
from fleet.app import qr
from fleet.hil.virtual_picture import Pictures

PAYLOAD = b'{"s":"Warehouse","p":"x","t":"EU1234567890AB"}'


@pytest.fixture(scope="module")
def pictures() -> Iterator[Pictures]:
    with closing(Pictures()) as pictures:
        yield pictures


def blank(width_px: int, height_px: int) -> bytes:
    picture = io.BytesIO()
    Image.new("1", (width_px, height_px), 1).save(picture, "PNG")
    return picture.getvalue()


def test_a_picture_and_a_file_with_one_are_read(pictures: Pictures, tmp_path: Path) -> None:
    picture = qr.picture(PAYLOAD, "png")
    path = tmp_path / "code.png"
    path.write_bytes(picture)

    assert pictures.code_in(picture) == PAYLOAD
    assert pictures.code_in(path) == PAYLOAD


def test_bytes_that_are_no_text_are_read_as_they_are(pictures: Pictures) -> None:
    payload = b"\xff\xfe\x80 no UTF-8"

    assert pictures.code_in(qr.picture(payload, "png")) == payload


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"%PDF-1.7 and so on", "not a picture"),
        (b"", "not a picture"),
        (qr.picture(PAYLOAD, "png")[:200], "damaged"),
        (blank(300, 300), "no QR code"),
        (blank(20_000, 20_000), "bomb"),
    ],
    ids=["no picture", "nothing", "truncated", "no code", "bomb"],
)
def test_what_has_no_code_in_it_is_refused(pictures: Pictures, content: bytes, why: str) -> None:
    with pytest.raises(UsageError, match=f"the picture: .*{why}"):
        pictures.code_in(content)


def test_a_file_is_named(pictures: Pictures, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no picture")

    with pytest.raises(UsageError, match=r"notes\.txt: not a picture"):
        pictures.code_in(path)
    with pytest.raises(UsageError, match=r"absent\.png: cannot be read \(No such file"):
        pictures.code_in(tmp_path / "absent.png")


def test_where_no_picture_is_shown_nothing_is_started() -> None:
    Pictures().close()
