"""Text from others, made fit to be shown."""

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.bench.parts.printable import printable


def test_what_moves_cursors_or_ends_lines_is_replaced() -> None:
    assert printable("a\x1b[2Jb\r\nc\x9bd\u202ee\tf") == "a?[2Jb??c?d?e?f"


def test_long_text_is_cut_off() -> None:
    assert printable("x" * 300) == "x" * 197 + "..."
    assert printable("x" * 200) == "x" * 200


@given(st.text(max_size=400))
def test_one_short_line_of_ascii_comes_out(text: str) -> None:
    shown = printable(text)
    assert len(shown) <= 200
    assert all(" " <= c <= "~" for c in shown)
