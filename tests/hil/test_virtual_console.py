"""The console: what was printed is kept until it is asked for, and time passes meanwhile."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from firmware_sim.bench.capabilities import NotSeen
from firmware_sim.bench.parts.uart import Uart
from firmware_sim.errors import UsageError
from fleet.hil import virtual_console
from fleet.hil.virtual_console import Console
from fleet.hil.virtual_stand import VirtualStand


class Line(Uart):
    """A line on which pieces of text come at their times, in ms."""

    def __init__(self, *pieces: tuple[int, bytes]) -> None:  # of a Uart nothing is needed
        self.pieces = list(pieces)
        self.typed = b""

    def due(self, now_ms: int) -> bytes:
        ripe = [text for at_ms, text in self.pieces if at_ms <= now_ms]
        self.pieces = [piece for piece in self.pieces if piece[0] > now_ms]
        return b"".join(ripe)

    def feed(self, data: bytes, now_ms: int) -> None:
        self.typed += data


@pytest.fixture
def stand() -> Iterator[VirtualStand]:
    with closing(VirtualStand("nvr", 1)) as stand:
        yield stand


def console(stand: VirtualStand, *pieces: tuple[int, bytes]) -> Console:
    stand.station.uart = Line(*pieces)
    return Console(stand)


def test_text_is_given_up_to_the_match_and_the_rest_kept(stand: VirtualStand) -> None:
    line = console(stand, (0, b"U-Boot\r\nstarting "), (400, b"kernel\r\n# "))

    assert line.expect("Boot") == "U-Boot"
    assert line.expect(r"starting\s+\w+\r\n") == "\r\nstarting kernel\r\n"
    assert stand.now_s == pytest.approx(0.4, abs=0.05)
    assert line.expect("# ", timeout_s=0) == "# "


def test_a_dot_goes_on_over_the_end_of_a_line(stand: VirtualStand) -> None:
    assert console(stand, (0, b"a\r\nb")).expect("a.+b") == "a\r\nb"


def test_what_does_not_come_is_said_with_what_did(stand: VirtualStand) -> None:
    line = console(stand, (0, b"panic: no root"))

    with pytest.raises(NotSeen, match=r"'login:' was not printed within 2 s; .* 'panic: no root'"):
        line.expect("login:", timeout_s=2)
    assert stand.now_s == 2.0
    assert line.expect("panic") == "panic"

    with pytest.raises(NotSeen, match="there is nothing"):
        console(stand).expect("x", timeout_s=0.1)


def test_a_letter_in_two_halves_and_garbage_are_text(stand: VirtualStand) -> None:
    line = console(stand, (0, b"caf\xc3"), (100, b"\xa9 \xff!"))

    assert line.expect("!") == "café �!"


def test_what_nobody_reads_is_forgotten_from_its_beginning(
    stand: VirtualStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual_console, "TEXT_MAX", 10)

    assert console(stand, (0, b"0123456789ABCDEF")).expect("F") == "6789ABCDEF"


def test_a_line_ends_with_enter(stand: VirtualStand) -> None:
    line = console(stand)
    uart = stand.station.uart
    assert isinstance(uart, Line)

    line.sendline("help")

    assert uart.typed == b"help\n"


def test_what_is_no_pattern_is_refused(stand: VirtualStand) -> None:
    with pytest.raises(UsageError, match="no regular expression"):
        console(stand).expect("(")
