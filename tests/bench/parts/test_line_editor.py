"""Typing a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.bench.parts.line_editor import LINE_SIZE_MAX, LineEditor


def typed(data: bytes) -> tuple[bytes, list[str], bytes]:
    """Return what is echoed, the lines that came of it, and what is left."""
    editor = LineEditor()
    told = [editor.take(byte) for byte in data]
    lines = [each.line for each in told if each.line is not None]
    return b"".join(each.echo for each in told), lines, editor.text


@pytest.mark.parametrize(
    ("data", "echo", "lines", "left"),
    [
        (b"help\r", b"help\r\n", ["help"], b""),
        (b"help\r\nled\n", b"help\r\nled\r\n", ["help", "led"], b""),
        (b"\n\n", b"\r\n\r\n", ["", ""], b""),
        (b"hx\x7felp", b"hx\b \belp", [], b"help"),
        (b"\x08\x7fa", b"a", [], b"a"),
        (b"abc\x15x", b"abc" + b"\b \b" * 3 + b"x", [], b"x"),
        (b"abc\x03", b"abc^C\r\n", [""], b""),
        (b"a\x1b[Ab\x1bOPc\x1b[1;5Cd\x1b7e", b"abcde", [], b"abcde"),
        (b"\x1b\x1b[2Jx", b"x", [], b"x"),
        (b"\x1b[12\rx", b"\r\nx", [""], b"x"),
        (b"a\tb\x00\x07\x9b2J\xff", b"ab2J", [], b"ab2J"),
    ],
)
def test_keys(data: bytes, echo: bytes, lines: list[str], left: bytes) -> None:
    assert typed(data) == (echo, lines, left)


def test_a_line_has_an_end() -> None:
    echo, lines, _ = typed(b"x" * 1000 + b"\x7f\r")
    assert lines == ["x" * (LINE_SIZE_MAX - 1)]
    assert echo == b"x" * LINE_SIZE_MAX + b"\b \b\r\n"


@given(st.binary(max_size=200))
def test_no_control_sequence_is_ever_echoed(data: bytes) -> None:
    echo, lines, left = typed(data)
    assert not set(echo) - {*range(0x20, 0x7F), 0x08, 0x0D, 0x0A}
    assert all(line.isprintable() or line == "" for line in lines)
    assert len(left) <= LINE_SIZE_MAX
