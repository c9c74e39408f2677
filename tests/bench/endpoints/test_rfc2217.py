"""RFC 2217 from the server's side: options, settings, and whatever else may come."""

import random

import pytest

from firmware_sim.bench.endpoints.rfc2217 import (
    BINARY,
    COM_PORT,
    DO,
    DONT,
    FLOWCONTROL_RESUME,
    FLOWCONTROL_SUSPEND,
    IAC,
    NOTIFY_MODEMSTATE,
    PURGE_DATA,
    SB,
    SE,
    SET_BAUDRATE,
    SET_CONTROL,
    SET_DATASIZE,
    SIGNATURE,
    WILL,
    WONT,
    ComPort,
)

LINEMODE = 34


def ask(command: int, value: bytes = b"") -> bytes:
    escaped = value.replace(b"\xff", b"\xff\xff")
    return bytes((IAC, SB, COM_PORT, command)) + escaped + bytes((IAC, SE))


def opened() -> ComPort:
    port = ComPort()
    port.hello()
    port.receive(bytes((IAC, WILL, COM_PORT)))
    return port


def test_the_client_offers_the_option_and_hears_the_modem_state() -> None:
    port = ComPort()
    assert bytes((IAC, WILL, BINARY)) in port.hello()
    for_line, answer = port.receive(bytes((IAC, WILL, COM_PORT)))
    assert for_line == b""
    assert answer == ask(NOTIFY_MODEMSTATE + 100, b"\xb0") + bytes((IAC, DO, COM_PORT))


def test_bytes_pass_both_ways_and_255_is_written_twice() -> None:
    port = opened()
    assert port.receive(b"a\xff\xffb") == (b"a\xffb", b"")
    assert port.wrap(b"a\xffb") == b"a\xff\xffb"


def test_a_bare_return_of_a_telnet_client_is_one_byte() -> None:
    assert opened().receive(b"ls\r\0reboot\r\n")[0] == b"ls\rreboot\r\n"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ((DO, BINARY), b""),  # it was offered: this is the answer
        ((WILL, BINARY), b""),
        ((DO, COM_PORT), bytes((IAC, WILL, COM_PORT))),
        ((DO, LINEMODE), bytes((IAC, WONT, LINEMODE))),
        ((WILL, LINEMODE), bytes((IAC, DONT, LINEMODE))),
        ((DONT, LINEMODE), b""),
        ((WONT, LINEMODE), b""),
        ((DONT, BINARY), bytes((IAC, WONT, BINARY))),
        ((WONT, COM_PORT), bytes((IAC, DONT, COM_PORT))),
    ],
)
def test_an_option_is_answered_once(asked: tuple[int, int], answered: bytes) -> None:
    port = opened()
    assert port.receive(bytes((IAC, *asked))) == (b"", answered)
    if asked[1] != LINEMODE:
        assert port.receive(bytes((IAC, *asked))) == (b"", b"")


@pytest.mark.parametrize(
    ("command", "value", "answer"),
    [
        (SET_BAUDRATE, (9600).to_bytes(4), (9600).to_bytes(4)),
        (SET_BAUDRATE, bytes(4), (115_200).to_bytes(4)),
        (SET_DATASIZE, b"\x07", b"\x07"),
        (SET_DATASIZE, b"\x00", b"\x08"),
        (SET_CONTROL, b"\x00", b"\x01"),
        (SET_CONTROL, b"\x08", b"\x08"),
        (PURGE_DATA, b"\x03", b"\x03"),
        (SET_BAUDRATE, b"\x00\x00\xff\xff", b"\x00\x00\xff\xff"),
        (NOTIFY_MODEMSTATE, b"", b"\xb0"),
    ],
)
def test_settings_are_acknowledged(command: int, value: bytes, answer: bytes) -> None:
    assert opened().receive(ask(command, value)) == (b"", ask(command + 100, answer))


def test_it_says_what_it_is() -> None:
    port = opened()
    assert b"simulated" in port.receive(ask(SIGNATURE))[1]
    assert port.receive(ask(SIGNATURE, b"I am a client")) == (b"", b"")


def test_a_client_can_suspend_the_line() -> None:
    port = opened()
    port.receive(ask(FLOWCONTROL_SUSPEND))
    assert port.wrap(b"lost") == b""
    port.receive(ask(FLOWCONTROL_RESUME))
    assert port.wrap(b"heard") == b"heard"


@pytest.mark.parametrize(
    "odd",
    [
        ask(SET_BAUDRATE, b"\x01"),
        ask(SET_DATASIZE, b"12345"),
        ask(99, b"x"),
        bytes((IAC, SB, IAC, SE)),
        bytes((IAC, SB, COM_PORT, IAC, SE)),
        bytes((IAC, SB, LINEMODE, 1, 2, IAC, SE)),
        bytes((IAC, SB, COM_PORT)) + b"x" * 100_000 + bytes((IAC, SE)),
        bytes((IAC, 241)),  # NOP
    ],
)
def test_what_makes_no_sense_is_passed_over(odd: bytes) -> None:
    port = opened()
    assert port.receive(odd) == (b"", b"")
    assert port.receive(b"on") == (b"on", b"")


def test_noise_is_survived_and_cut_anywhere_means_the_same() -> None:
    rng = random.Random(8)
    commands = (IAC, SB, SE, WILL, DO, DONT, WONT, COM_PORT)
    noise = bytes(rng.choice((*commands, rng.randrange(256))) for _ in range(20_000))
    whole, pieces = ComPort(), ComPort()
    expected = whole.receive(noise)
    got = [pieces.receive(noise[at : at + 7]) for at in range(0, len(noise), 7)]
    assert (b"".join(line for line, _ in got), b"".join(answer for _, answer in got)) == expected
