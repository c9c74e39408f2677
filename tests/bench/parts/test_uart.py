"""The serial console of a device."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.bench.parts.uart import BYTES_PER_MS, OUTPUT_SIZE_MAX, Uart
from firmware_sim.bench.station import Station
from firmware_sim.effects import Noted
from tests.bench.parts.bench_models import CAMERA, IDENTITY, T0, boot_ms, started, state

UP = T0 + boot_ms() + 100  # by then the prompt is out


def printed(uart: Uart, until_ms: int) -> str:
    """Return what comes out until then, fetched whenever something is due."""
    out = b""
    while (next_ms := uart.next_ms()) is not None and next_ms <= until_ms:
        more = uart.due(next_ms)
        assert more
        out += more
    return (out + uart.due(until_ms)).decode("ascii")


def ready(seed: int = 1) -> Station:
    station = started(seed=seed)
    station.uart.due(UP)
    return station


def answered(station: Station, typed: bytes, now_ms: int = UP) -> str:
    station.uart.feed(typed, now_ms)
    return printed(station.uart, now_ms + 500)


def test_a_boot_comes_line_by_line_and_ends_with_a_prompt() -> None:
    station = Station(CAMERA, IDENTITY, 1)
    station.powered(True, T0)
    station.observed(state("BOOTING", "booting", cause="PowerApplied"), T0)
    early = printed(station.uart, T0 + boot_ms() // 4)
    assert "Starting kernel" in early
    assert "I/app" not in early
    late = printed(station.uart, T0 + boot_ms() - 1)
    assert "I/app: ready" in late
    station.observed(state("WAITING", "waiting", operator="waiting"), T0 + boot_ms())
    end = printed(station.uart, T0 + boot_ms() + 50)
    assert end == "\r\n[    2.000] I/life: booting -> waiting (Test)\r\n# "
    assert "\n" not in (early + late + end).replace("\r\n", "")


def test_bytes_take_their_time() -> None:
    station = ready()
    station.uart.feed(b"help\r", UP)
    assert len(station.uart.due(UP + 10)) == pytest.approx(10 * BYTES_PER_MS, abs=2)
    assert station.uart.due(UP + 10) == b""


def test_nothing_is_printed_without_supply() -> None:
    station = Station(CAMERA, IDENTITY, 1)
    station.observed(state("BOOTING", "booting"), T0)
    station.observed(Noted("bad_qr", "x"), T0)
    station.uart.feed(b"help\r", T0)
    assert station.uart.next_ms() is None
    assert station.uart.due(T0 + 10_000) == b""


def test_a_power_cut_ends_a_line_in_the_middle() -> None:
    station = ready()
    station.uart.feed(b"help\r", UP)
    station.powered(False, UP + 5)
    out = station.uart.due(UP + 1000)
    assert out.startswith(b"help\r\nhelp  ")
    assert len(out) == int(5 * BYTES_PER_MS)
    assert station.uart.next_ms() is None


def test_a_power_cut_ends_a_boot() -> None:
    station = Station(CAMERA, IDENTITY, 1)
    station.powered(True, T0)
    station.observed(state("BOOTING", "booting"), T0)
    station.powered(False, T0 + 400)
    assert "rootfs" not in printed(station.uart, T0 + 5000)


def test_input_during_the_boot_is_lost() -> None:
    station = Station(CAMERA, IDENTITY, 1)
    station.powered(True, T0)
    station.observed(state("BOOTING", "booting"), T0)
    station.uart.feed(b"help\rver", T0 + 500)
    station.observed(state("WAITING", "waiting"), T0 + boot_ms())
    assert "help" not in printed(station.uart, UP)
    assert "command not found" in answered(station, b"sion\r")


def test_a_log_line_leaves_what_is_typed() -> None:
    station = ready()
    assert answered(station, b"sta") == "sta"
    station.observed(Noted("join_refused", "wifi_password"), UP + 600)
    line = f"\r\n[{(boot_ms() + 700) / 1000:9.3f}] W/join_refused: wifi_password\r\n# sta"
    assert printed(station.uart, UP + 700) == line
    assert answered(station, b"tus\r", UP + 800).startswith("tus\r\nstate    waiting\r\n")


def test_states_are_logged_as_far_as_they_change() -> None:
    station = ready()
    station.observed(state("ONLINE", "reconnecting", session="RESOLVING"), UP)
    station.observed(state("ONLINE", "reconnecting", session="CONNECTING"), UP + 100)
    log = re.findall(r"\] (.*)\r\n", printed(station.uart, UP + 200))
    assert log == ["I/life: waiting -> online (Test)", "I/cloud: resolving", "I/cloud: connecting"]


def test_what_the_operator_reads_is_logged_where_the_state_does_not_say_it() -> None:
    station = ready()
    station.observed(state("RESETTING", "resetting", operator="unbinding"), UP)
    assert "waiting -> resetting, unbinding (Test)" in printed(station.uart, UP + 100)


def test_the_level_decides_what_is_logged_until_the_next_boot() -> None:
    station = ready()
    answered(station, b"log error\r")
    station.observed(Noted("bad_qr", "x"), UP + 600)
    assert printed(station.uart, UP + 700) == ""
    answered(station, b"log debug\r", UP + 700)
    station.observed(state("JOINING", "joining"), UP + 1300)
    assert "D/led: joining" in printed(station.uart, UP + 1400)
    station.observed(state("BOOTING", "booting"), UP + 1500)
    station.observed(state("WAITING", "waiting"), UP + 1500 + boot_ms())
    assert "D/led" not in printed(station.uart, UP + 3600)


def test_notes_of_others_move_no_cursor() -> None:
    station = ready()
    station.observed(Noted("activation_refused", "X\x1b[2J\r\n# root" + "y" * 500), UP)
    out = printed(station.uart, UP + 500)
    assert "X?[2J??# root" in out
    assert "\x1b" not in out
    assert len(out) < 260


def test_new_firmware_says_its_version_after_its_boot() -> None:
    station = ready()
    station.observed(Noted("upgrade", "1.0.0 to 1.1.0"), UP)
    station.observed(state("UPDATING", "ota"), UP)
    assert "firmware 1.0.0" in answered(station, b"version\r", UP + 100)
    station.observed(state("BOOTING", "booting", cause="Upgraded"), UP + 1000)
    station.observed(state("WAITING", "waiting"), UP + 1000 + boot_ms())
    assert "firmware 1.1.0, signature ok" in printed(station.uart, UP + 3200)


def test_new_firmware_is_forgotten_with_the_supply() -> None:
    station = ready()
    station.observed(Noted("upgrade", "1.0.0 to 1.1.0"), UP)
    station.powered(False, UP + 100)
    station.powered(True, UP + 200)
    station.observed(state("BOOTING", "booting", cause="PowerApplied"), UP + 200)
    assert "firmware 1.0.0, signature ok" in printed(station.uart, UP + 2000)


class Hands:
    """Somebody who carries wishes out, by way of the supply."""

    def __init__(self, station: Station) -> None:
        self.done: list[str] = []
        self.station = station

    def reboot(self) -> None:
        self.done.append("reboot")
        self.station.powered(False, UP)

    def factory_reset(self) -> None:
        self.done.append("factory_reset")


def test_wishes_reach_the_host() -> None:
    station = ready()
    station.uart.wishes = hands = Hands(station)
    assert "resetting to factory settings" in answered(station, b"factory-reset\r")
    station.uart.feed(b"reboot\rhelp\r", UP + 1000)
    assert hands.done == ["factory_reset", "reboot"]
    assert not station.uart.up


def test_wishes_that_nobody_carries_out_are_refused() -> None:
    assert "reboot: not permitted" in answered(ready(), b"reboot\r")


def test_a_flood_of_input_is_mostly_lost() -> None:
    station = ready()
    station.uart.feed(b"help\r" * 100_000, UP)
    out = printed(station.uart, UP + 60_000)
    assert 10_000 < len(out) < 20_000
    assert answered(station, b"\x03led\r", UP + 60_000).endswith("250 ms\r\n# ")


def test_output_that_nobody_fetches_is_bounded() -> None:
    station = ready()
    for number in range(5000):
        station.observed(Noted("bad_qr", f"number {number}"), UP + number)
    out = station.uart.due(UP + 1_000_000)
    assert OUTPUT_SIZE_MAX - 100 < len(out) <= OUTPUT_SIZE_MAX
    assert out.endswith(b"number 4999\r\n# ")


@given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 2000)), max_size=15))
def test_garbage_prints_nothing_but_plain_text(sent: list[tuple[bytes, int]]) -> None:
    station = ready()
    now_ms, out = UP, ""
    for data, later_ms in sent:
        now_ms += later_ms
        station.uart.feed(data, now_ms)
        out += printed(station.uart, now_ms)
    out += printed(station.uart, now_ms + 60_000)
    assert not set(out) - {*map(chr, range(0x20, 0x7F)), "\b", "\r", "\n"}
    assert "\n" not in out.replace("\r\n", "")
    assert answered(station, b"\x03led\r", now_ms + 60_000).endswith("250 ms\r\n# ")
