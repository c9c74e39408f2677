"""What strangers have written is shown as text, and nothing that a terminal obeys is left in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.commands.plain import plain


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", ""),
        ("Café 倉庫".encode(), "Café 倉庫"),
        (b"\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        (b"one\r\ntwo", "one\\r\\ntwo"),
        ("a\u202eb\u200f".encode(), "a\\u202eb\\u200f"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"x" * 12, "xxxxxxxxxx... (12 bytes)"),
    ],
)
def test_what_is_shown(data: bytes, shown: str) -> None:
    assert plain(data, 10 if data.startswith(b"x") else 200) == shown


@given(st.binary(max_size=3000))
def test_nothing_but_printable_signs_and_not_many(data: bytes) -> None:
    shown = plain(data)
    assert shown.isprintable()
    assert len(shown) < 230
