"""Drivers for a bench behind endpoints: what they ask, and what they make of the answers."""

from collections.abc import Iterator
from typing import Any

import pytest
from labgrid.factory import target_factory

import firmware_sim.bench.labgrid
from firmware_sim.bench.labgrid.bench import make_bench
from firmware_sim.bench.labgrid.clocks import BenchClock
from firmware_sim.bench.labgrid.endpoints import PIECE_S
from firmware_sim.errors import UsageError
from tests.live.bench.labgrid.stand_in import StandIn, serve

assert firmware_sim.bench.labgrid.__all__  # imported for the names of its drivers


@pytest.fixture
def bench() -> Iterator[StandIn]:
    with serve() as bench:
        bench.answer("GET /clock", '{"now_s": 7.5, "rate": 1000}')
        bench.answer("GET /tones", "[]")
        yield bench


@pytest.fixture
def target(bench: StandIn) -> Iterator[Any]:
    names = {"Led": "led", "Frame": "frame", "Phone": "phone", "Current": "current"}
    names |= {"Tones": "tones", "Clock": "clock"}
    target = target_factory.make_target(
        "main",
        {
            "resources": [
                {f"Fleet{name}": {"url": f"{bench.url}/{path}"}} for name, path in names.items()
            ],
            "drivers": [{f"Fleet{name.removesuffix('s')}Driver": {}} for name in names],
        },
    )
    with target:
        yield target


def test_light_comes_as_a_trace(bench: StandIn, target: Any) -> None:
    bench.answer("GET /led", "time_s,red,green,blue\n1.0,1,0,0\n1.01,0,0.5,0\n")
    trace = make_bench(target).led.sample(0.02)
    assert trace.times_s.tolist() == [1.0, 1.01]
    assert trace.rgb.tolist() == [[1, 0, 0], [0, 0.5, 0]]
    assert bench.asked[-1].path == "/led?duration_s=0.02&rate_hz=100.0"


def test_a_long_time_is_asked_for_in_pieces(bench: StandIn, target: Any) -> None:
    bench.answer("GET /led", "time_s,red,green,blue\n1.0,1,0,0\n")
    assert len(make_bench(target).led.sample(2 * PIECE_S + 1).times_s) == 3
    first, second, third = [one.path for one in bench.asked if one.path.startswith("/led")]
    assert first == "/led?duration_s=60.0&rate_hz=100.0"
    assert second == f"{first}&from_s=1.01"
    assert third == "/led?duration_s=1.0&rate_hz=100.0&from_s=1.01"


def test_who_follows_a_light_misses_nothing(bench: StandIn, target: Any) -> None:
    bench.answer("GET /led", "time_s,red,green,blue\n1.0,1,0,0\n1.02,1,0,0\n1.04,1,0,0\n")
    sample = make_bench(target).led.follow()
    sample(0.05)
    assert "from_s" not in bench.asked[-1].path
    sample(0.05)
    assert bench.asked[-1].path.endswith("&from_s=1.06")


def test_current_comes_as_a_trace(bench: StandIn, target: Any) -> None:
    bench.answer("GET /current", "time_s,milliamps\n1.0,120\n1.01,300.5\n")
    assert make_bench(target).supply.sample(0.02).milliamps.tolist() == [120, 300.5]
    bench.answer("GET /current", "time_s,milliamps\n")
    assert make_bench(target).supply.sample(0.02).times_s.tolist() == []


@pytest.mark.parametrize(
    ("start", "kind"),
    [(b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/unknown")],
)
def test_pictures_go_out_with_their_kind(
    bench: StandIn, target: Any, start: bytes, kind: str
) -> None:
    bench.answer("PUT /frame", status=204)
    bench.answer("DELETE /frame", status=204)
    camera = make_bench(target).camera
    camera.show(start + b"...")
    assert bench.asked[-1][2:] == (kind, start + b"...")
    camera.hide()
    assert bench.asked[-1].method == "DELETE"


def test_a_text_goes_out_as_text(bench: StandIn, target: Any) -> None:
    bench.answer("PUT /frame", status=204)
    make_bench(target).camera.show("Rückläufer")
    assert bench.asked[-1][2:] == ("text/plain; charset=utf-8", "Rückläufer".encode())


def test_a_picture_without_a_code_is_refused(bench: StandIn, target: Any) -> None:
    bench.answer("PUT /frame", '{"problem": "no code"}', 422)
    with pytest.raises(UsageError, match="no code"):
        make_bench(target).camera.show(b"\x89PNG")


def test_phones_make_codes(bench: StandIn, target: Any) -> None:
    bench.answer("POST /phone/codes", '{"text": "secret"}')
    phone = make_bench(target).phone
    assert phone.unbinding_code().text == "secret"
    assert bench.asked[-1].body == b'{"purpose":"unbind","wifi_password":null}'
    assert phone.pairing_code(wifi_password="x").text == "secret"
    assert bench.asked[-1].body == b'{"purpose":"pair","wifi_password":"x"}'


def test_phones_send_tokens_over_the_lan(bench: StandIn, target: Any) -> None:
    bench.answer("POST /phone/by-wire", status=204)
    phone = make_bench(target).phone
    phone.unbind_by_wire()
    assert bench.asked[-1].body == b'{"purpose":"unbind","timeout_s":30.0}'
    phone.pair_by_wire(timeout_s=5)
    assert bench.asked[-1].body == b'{"purpose":"pair","timeout_s":5}'


def test_tones_are_those_since_a_time(bench: StandIn, target: Any) -> None:
    ear = make_bench(target).ear
    bench.answer("GET /tones", '[{"at_s": 1e9, "tone": 1}, {"at_s": 2e9, "tone": 2}]')
    ear.wait_for(2)
    path, since_s = bench.asked[-1].path.split("=")
    assert path == "/tones?since_s"
    assert float(since_s) >= 7.5


def test_time_is_that_of_the_bench(bench: StandIn, target: Any) -> None:
    clock = make_bench(target).clock
    assert isinstance(clock, BenchClock)
    assert clock.rate == 1000
    assert clock.now_s() >= 7.5
    clock.sleep(10)  # a hundredth of a second
