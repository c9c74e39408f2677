"""The sequence mode: settings, bits, times, patterns."""

import pytest

from firmware_sim.bench.parts.feasa_sequence import Sequence


def captured(*rows: str) -> Sequence:
    """Return a sequence of captures every 10 ms that saw these bits."""
    sequence = Sequence()
    sequence.keep([[9000 * int(bit) for bit in row] for row in rows])
    return sequence


@pytest.mark.parametrize(
    ("name", "digits", "shown"),
    [
        ("capture", "05", "005 ms"),
        ("capture", "999", "999 ms"),
        ("wait", "00", "000 ms"),
        ("number", "250", "0250"),
        ("number", "3500", "3500"),
        ("threshold", "09500", "9500"),
        ("startdelay", "123", "123 ms"),
        ("mode", "1", "1"),
        ("channel", "07", "07"),
    ],
)
def test_settings_are_read_back_as_the_manual_shows(name: str, digits: str, shown: str) -> None:
    sequence = Sequence()
    assert sequence.put(name, digits)
    assert sequence.shown(name) == shown


@pytest.mark.parametrize(
    ("name", "digits"),
    [
        ("capture", "5"),
        ("capture", "000"),
        ("capture", "1000"),
        ("number", "3501"),
        ("number", "50"),
        ("threshold", "9500"),
        ("mode", "2"),
        ("channel", "21"),
    ],
)
def test_wrong_numbers_are_not_taken(name: str, digits: str) -> None:
    sequence = Sequence()
    before = sequence.shown(name)
    assert not sequence.put(name, digits)
    assert sequence.shown(name) == before


def test_intensity_only_takes_more_captures() -> None:
    sequence = Sequence()
    assert sequence.put("mode", "1")
    assert sequence.put("number", "9999")


def test_bits_come_one_to_a_line() -> None:
    assert captured("0110", "0000").lines(1) == "0\r\n1\r\n1\r\n0"
    assert captured("0110").lines(2) == ""


@pytest.mark.parametrize(
    ("bits", "off_ms", "on_ms", "rest_ms"),
    [
        ("0011100", 20, 30, 20),
        ("0011100110", 20, 30, 20),
        ("0000", 40, 0, 0),
        ("1111", 0, 40, 0),
        ("", 0, 0, 0),
    ],
)
def test_times_of_a_sequence(bits: str, off_ms: int, on_ms: int, rest_ms: int) -> None:
    words = f"Toff1 = {off_ms:05d}ms Ton = {on_ms:05d} ms Toff2 = {rest_ms:05d}ms"
    assert captured(bits).times(1) == words


def test_patterns_are_recognised() -> None:
    sequence = captured("0011100111", "0000000000")
    assert sequence.store(4)
    sequence.keep([[9000] * 10, [0] * 10])
    assert sequence.identified() is None
    sequence.keep([[0, 0, 9000, 9000, 9000, 0, 0, 9000, 9000, 0], [0] * 10])  # one of 20 differs
    assert sequence.identified() == 4
    sequence.keep([[0, 0, 9000], [0, 0, 0]])
    assert sequence.identified() is None


def test_nothing_captured_is_no_pattern_and_no_more_than_21_are_kept() -> None:
    assert not Sequence().store(0)
    assert Sequence().identified() is None
    assert not captured("01").store(21)
    assert captured("01").store(20)
