"""Bytes that are made up: the same whole as the pieces, and what the MD5 says."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud import firmware_image as image

URL = image.url_of("camera0000000001", 0, "1.2.3")


def test_a_version_has_an_address_that_leads_nowhere() -> None:
    assert URL == "https://firmware.invalid/camera0000000001/0/1.2.3"
    assert image.url_of("camera0000000001", 1, "1.2.3") != URL


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 10_000])
def test_pieces_make_the_whole_that_was_promised(size: int) -> None:
    firsts = range(0, size, 1024)
    whole = b"".join(image.piece(URL, at, min(at + 1024, size) - 1) for at in firsts)
    assert len(whole) == size
    assert hashlib.md5(whole).hexdigest() == image.md5_of(URL, size)
    assert whole != b"".join(image.piece(URL + "4", at, min(at + 1024, size) - 1) for at in firsts)


@given(st.integers(0, 60_000), st.integers(1, 9_000))
def test_any_piece_is_a_part_of_the_whole(first: int, size: int) -> None:
    whole = image.piece(URL, 0, 70_000)
    assert image.piece(URL, first, first + size - 1) == whole[first : first + size]
