"""What the ports carry is recognised, opened where the key is public, and left alone otherwise."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from fleet.lan.layers import (
    DISCOVERY_PORTS,
    PREFIX_55AA,
    PREFIX_6699,
    Discovery,
    Discovery55AA,
    Discovery6699,
    Lan,
    Lan55AA,
    Lan55AAHmac,
    Lan6699,
)

from .vectors import GOLDEN

ROOT = Path(__file__).parents[2]
ANNOUNCED = [name for name, golden in GOLDEN.items() if golden.discovery]
CONTROLLED = [name for name, golden in GOLDEN.items() if not golden.discovery]


def captured(packet: Packet) -> Any:
    """Return `packet` as Scapy sees it when it comes from a wire."""
    return Ether(bytes(Ether() / IP(src="10.0.0.9", dst="10.0.0.1") / packet))


@pytest.mark.parametrize("port", DISCOVERY_PORTS)
@pytest.mark.parametrize("name", ANNOUNCED)
def test_a_datagram_is_opened_on_every_port_of_discovery(name: str, port: int) -> None:
    golden = GOLDEN[name]
    seen = captured(UDP(dport=port) / Raw(golden.frame))[UDP].payload
    assert type(seen) is (Discovery6699 if golden.frame.startswith(PREFIX_6699) else Discovery55AA)
    assert (seen.return_code, seen.body) == (golden.return_code, golden.body)
    assert bytes(type(seen)(**seen.fields, key=seen.key)) == golden.frame


@pytest.mark.parametrize("side", ["sport", "dport"])
@pytest.mark.parametrize("name", CONTROLLED)
def test_a_frame_is_recognised_on_the_port_of_control(name: str, side: str) -> None:
    golden = GOLDEN[name]
    ports: dict[str, Any] = {side: 6668}
    seen = captured(TCP(**ports) / Raw(golden.frame))[TCP].payload
    if golden.frame.startswith(PREFIX_6699):
        assert type(seen) is Lan6699
    else:
        assert type(seen) is (Lan55AAHmac if "34" in name else Lan55AA)
    assert (seen.kind, bytes(seen)) == (golden.kind, golden.frame)


def test_the_ports_say_whether_there_is_a_return_code() -> None:
    frame = Raw(bytes(Lan55AA(kind=9, body=b"\1\0\0\0more")))
    assert captured(TCP(sport=6668) / frame)[Lan55AA].return_code == 1 << 24
    assert captured(TCP(dport=6668) / frame)[Lan55AA].return_code is None
    assert Lan55AA(bytes(frame)).return_code is None


def test_several_frames_in_one_segment_are_seen_one_behind_the_other() -> None:
    names = ("lan33_status", "lan35_query_reply", "lan34_status")
    segment = b"".join(GOLDEN[name].frame for name in names)
    seen = captured(TCP(sport=6668) / Raw(segment + b"\0\0"))
    assert [layer.__name__ for layer in seen[TCP].payload.layers()] == [
        "Lan55AA",
        "Lan6699",
        "Lan55AAHmac",
        "Raw",
    ]
    assert seen[Lan55AAHmac].return_code == 0
    assert bytes(seen[TCP].payload) == segment + b"\0\0"


def test_building_names_the_port() -> None:
    assert captured(TCP() / Lan6699())[TCP].dport == 6668
    assert captured(UDP() / Discovery55AA(body=b"{}"))[UDP].dport == 6667
    assert (
        captured(UDP() / Discovery6699(body=b"{}", kind=0x25, return_code=None))[UDP].dport == 7000
    )


def test_a_plain_announcement_is_built_plain() -> None:
    golden = GOLDEN["announcement_plain"]
    assert bytes(Discovery55AA(kind=0, body=golden.body)) == golden.frame


# --- foreign bytes ------------------------------------------------------------------------------

FOREIGN = [
    b"GET / HTTP/1.1\r\n",
    PREFIX_55AA,
    PREFIX_6699 + bytes(30),
    PREFIX_55AA + bytes(12),
    PREFIX_55AA + bytes(8) + b"\xff" * 40,
    GOLDEN["lan35_status"].frame[:-1],
    GOLDEN["lan33_status"].frame[:-1],
    GOLDEN["lan33_status"].frame[1:],
]


@pytest.mark.parametrize("data", FOREIGN, ids=lambda data: data[:8].hex())
def test_what_is_no_whole_frame_stays_raw(data: bytes) -> None:
    assert type(captured(TCP(dport=6668) / Raw(data))[TCP].payload) is Raw
    assert type(captured(UDP(dport=6667) / Raw(data))[UDP].payload) is Raw


@given(st.sampled_from([PREFIX_55AA, PREFIX_6699, b""]), st.binary(max_size=120))
def test_whatever_comes_is_taken_apart_and_kept(prefix: bytes, rest: bytes) -> None:
    for layer in (Lan, Discovery):
        assert bytes(layer(prefix + rest)) == prefix + rest


@given(st.sampled_from(sorted(GOLDEN)), st.integers(0, 150), st.integers(1, 255))
def test_a_damaged_frame_is_taken_apart_and_kept(name: str, at: int, flip: int) -> None:
    damaged = bytearray(GOLDEN[name].frame)
    damaged[at % len(damaged)] ^= flip
    for layer in (Lan, Discovery):
        assert bytes(layer(bytes(damaged))) == damaged


# --- weight -------------------------------------------------------------------------------------


def test_nothing_but_the_layers_loads_scapy() -> None:
    program = (
        "import sys, fleet.cli, fleet.commands.traffic, fleet.lan.capture, fleet.lan.dissect\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] == 'scapy'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
