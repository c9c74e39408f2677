"""The program `ip`, played by a script: what it is given, and what its refusals come to."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.lan import iproute


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a stand-in before the real `ip`; return the file in which it notes its calls."""
    notes = tmp_path / "calls"
    script = tmp_path / "ip"
    script.write_text(
        f'#!/bin/sh\necho "$*" >>{notes}\ncase "$*" in *-j*) cat {tmp_path}/answer ;; esac\n'
        f'case "$*" in *-batch*) cat >>{notes} ;; esac\n'
        f"[ ! -e {tmp_path}/refusal ] || {{ cat {tmp_path}/refusal >&2; exit 1; }}\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(iproute, "_PATH", f"{tmp_path}:/usr/bin:/bin")
    return notes


def test_a_batch_is_one_process(calls: Path) -> None:
    iproute.batch(["link set lo up", "link set d1 up"], namespace="hall")
    iproute.batch(["link set d2 up"])
    assert calls.read_text() == (
        "-netns hall -batch -\nlink set lo up\nlink set d1 up\n-batch -\nlink set d2 up\n"
    )


def test_addresses_of_an_interface(calls: Path) -> None:
    (calls.parent / "answer").write_text(
        '[{"ifname":"eth0","addr_info":[{"family":"inet","local":"192.0.2.2","prefixlen":24},'
        '{"local":"192.0.2.3"}]},{}]'
    )
    assert [str(ip) for ip in iproute.addresses("eth0")] == ["192.0.2.2", "192.0.2.3"]
    assert calls.read_text() == "-j -4 addr show dev eth0\n"


def test_interfaces_of_a_group(calls: Path) -> None:
    (calls.parent / "answer").write_text('[{},{"ifindex":2,"ifname":"d0","group":"6668"}]')
    assert iproute.links(6668, namespace="hall") == ["d0"]


def test_routes_of_this_host(calls: Path) -> None:
    (calls.parent / "answer").write_text(
        '[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]},'
        '{"dst":"0.0.0.0/1","dev":"tun1"},{"dst":"128.0.0.0/1","dev":"tun1"},'
        '{"dst":"10.8.0.0/16","dev":"tun0","metric":50},{"type":"blackhole","dst":"192.0.2.9"}]'
    )
    assert iproute.routes() == [
        (IPv4Network("10.8.0.0/16"), "tun0"),
        (IPv4Network("192.0.2.9/32"), ""),
    ]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "RTNETLINK answers: File exists\nCommand failed -:2\n",
            "ip route add b dev lo: File exists",
        ),
        (
            "Error: Unknown device type.\nCommand failed -:1\n",
            "ip link add a: Unknown device type; the kernel has no such thing: ",
        ),
        (
            "RTNETLINK answers: Operation not permitted\nCommand failed -:1\n",
            "ip link add a: Operation not permitted; a container needs --privileged",
        ),
        ("", r"ip -batch -: \?"),
    ],
)
def test_a_refusal_names_the_line_and_what_to_do(calls: Path, said: str, message: str) -> None:
    (calls.parent / "refusal").write_text(said)
    with pytest.raises(UsageError, match=message) as caught:
        iproute.batch(["link add a", "route add b dev lo"])
    assert "\n" not in str(caught.value)


def test_without_the_program_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iproute, "_PATH", "/nowhere")
    with pytest.raises(UsageError, match="the program ip is missing; install iproute2"):
        iproute.run("netns")
