"""LANs that are really made: who is reached, by which address and MAC, and that nothing is left."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire.discovery import Solicitation, encode_solicitation
from fleet.lan import control, iproute, macvlan, namespace
from fleet.lan.arrangement import Arrangement, mac_of
from fleet.lan.entry import do_inside
from fleet.lan.record import Record, Records, namespace_number

from . import tenants as stage

pytestmark = stage.root_only


class Interface(msgspec.Struct):
    """What `ip -j link` says of one."""

    ifname: str


class Neighbour(msgspec.Struct):
    """What `ip -j neigh` says of one."""

    dst: str
    lladdr: str = ""


def interfaces() -> list[str]:
    found = msgspec.json.decode(iproute.run("-j", "link", "show"), type=list[Interface])
    return [interface.ifname for interface in found]


def asker(ip: str) -> socket.socket:
    """Return a client's socket on UDP 7000 of `ip`."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    client.bind((ip, 7000))
    client.settimeout(10)
    return client


def ask_all(client: socket.socket, broadcast_ip: str, count: int) -> dict[str, bytes]:
    """Ask once and return `count` answers by address; each came from port 7000."""
    question = Solicitation(client.getsockname()[0], "app")
    client.sendto(encode_solicitation(question, os.urandom(12)), (broadcast_ip, 7000))
    answers: dict[str, bytes] = {}
    while len(answers) < count:
        data, (ip, port) = client.recvfrom(100)
        assert (port, ip not in answers) == (7000, True)
        answers[ip] = data
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):  # nobody answers twice
        client.recv(100)
    client.settimeout(10)
    return answers


def everybody(lan: Arrangement) -> list[str]:
    return [lan.address(index) for index in range(lan.devices_max)]


# --- inside this host ---------------------------------------------------------------------------


def test_two_hundred_devices_answer_a_client_on_this_host_from_their_own_addresses(
    tmp_path: Path,
) -> None:
    with stage.veth_lan(tmp_path, 200) as lan, stage.tenants(lan) as nodes:
        host_ip = namespace.host_ip(lan)
        with asker(host_ip) as client:
            answers = ask_all(client, lan.broadcast_ip, 200)
        assert answers == {ip: ip.encode() for ip in everybody(lan)}
        for ip in everybody(lan)[::20]:
            with socket.create_connection((ip, 6668), 5) as connection:
                assert connection.getpeername() == (ip, 6668)
        interface = namespace.host_interface(lan.name)
        known = iproute.run("-j", "neigh", "show", "dev", interface)
        found = msgspec.json.decode(known, type=list[Neighbour])
        assert {each.lladdr for each in found if each.lladdr} == {mac_of(lan.cloud_ip)}
        assert len(found) < 5, "one neighbour leads to all devices"
    assert sum(node.clients for node in nodes) == 10


def test_up_and_down_leave_nothing_behind(tmp_path: Path) -> None:
    before = interfaces(), iproute.routes()
    with stage.veth_lan(tmp_path, 10_000) as lan:
        [record] = Records(tmp_path)
        assert (record.lan, record.state) == (lan, "up")
        assert namespace.host_interface(lan.name) in interfaces()
        with pytest.raises(UsageError, match=f"there is a LAN {lan.name} already"):
            control.up_veth(lan.name, 1, lan.network, Records(tmp_path))
        with pytest.raises(UsageError, match=f"{lan.network} overlaps"):
            control.up_veth(stage.new_name(), 1, lan.network, Records(tmp_path))
        assert len(list(Records(tmp_path))) == 1
    assert (interfaces(), iproute.routes()) == before
    assert not namespace_number(lan.name)
    assert list(tmp_path.iterdir()) == []


def test_what_is_half_made_is_removed_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = interfaces(), iproute.routes()
    name, records = stage.new_name(), Records(tmp_path)
    with monkeypatch.context() as patch:
        broken = namespace.Steps((), ("link add x type nonsense",), ())
        patch.setattr(namespace, "steps", lambda _: broken)
        with pytest.raises(UsageError, match="ip link add x type nonsense: "):
            control.up_veth(name, 3, stage.network(), records)
    assert (namespace_number(name), list(records)) == (0, [])
    # As after a kill: a namespace and an interface, and a record from before there was any.
    lan = namespace.plan(name, 3, stage.network())
    records.create(Record(lan))
    iproute.run("netns", "add", name)
    iproute.batch(namespace.steps(lan).outside[:2])
    control.down(name, records)
    assert (interfaces(), iproute.routes()) == before
    assert (namespace_number(name), list(records)) == (0, [])


def test_a_namespace_that_somebody_made_anew_stays(tmp_path: Path) -> None:
    records = Records(tmp_path)
    with stage.namespace() as name:
        lan = namespace.plan(name, 3, stage.network())
        records.create(Record(lan, number=namespace_number(name) + 1, whole=True))
        with pytest.raises(UsageError, match="is not the one that fleet lan up has made"):
            control.down(name, records)
        with pytest.raises(UsageError, match="fleet lan up has made no LAN"):
            control.down(name, Records(tmp_path / "empty"))
        assert namespace_number(name)


def test_an_interface_that_only_has_the_name_of_ours_stays(tmp_path: Path) -> None:
    name = stage.new_name()
    theirs = namespace.host_interface(name)
    iproute.run("link", "add", theirs, "type", "veth", "peer", "name", f"x{os.getpid()}")
    try:
        with pytest.raises(UsageError, match=f"ip link add {theirs} .*: File exists"):
            control.up_veth(name, 1, stage.network(), Records(tmp_path))
        assert theirs in interfaces()
    finally:
        iproute.run("link", "del", theirs)
    assert (namespace_number(name), list(Records(tmp_path))) == (0, [])


def test_a_lan_with_somebody_in_it_stays(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from fleet.lan.entry import enter\n"
        "from fleet.lan.record import Records\n"
        f"lan = enter(sys.argv[1], 3, Records(Path({str(tmp_path)!r})))\n"
        "assert enter(lan.name, 3, Records(Path(sys.argv[2]))) == lan, 'it is there already'\n"
        "print('inside', flush=True); sys.stdin.read()"
    )
    with (
        stage.veth_lan(tmp_path, 3) as lan,
        subprocess.Popen(
            [sys.executable, "-c", program, lan.name, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as guest,
    ):
        assert guest.stdout is not None
        assert guest.stdout.readline() == b"inside\n"
        with pytest.raises(UsageError, match=f"used by 1 processes, the first is {guest.pid}"):
            control.down(lan.name, Records(tmp_path))
        guest.communicate()
        assert guest.returncode == 0


# --- on a wire ----------------------------------------------------------------------------------


@contextmanager
def wire() -> Iterator[tuple[str, str, str]]:
    """Lend an interface, at whose other end is a namespace of a client: both, and its address."""
    parent, subnet = f"w{os.getpid()}", f"10.{100 + os.getpid() % 150}.255"
    with stage.namespace() as client:
        iproute.run("link", "add", parent, "type", "veth", "peer", "name", "eth0", "netns", client)
        try:
            iproute.run("link", "set", parent, "up")
            iproute.batch(
                ("link set lo up", f"addr add {subnet}.5/24 dev eth0", "link set eth0 up",
                 f"route add default via {subnet}.1"),
                namespace=client,
            )  # fmt: skip
            yield parent, client, f"{subnet}.5"
        finally:
            iproute.run("link", "del", parent)


def test_each_device_on_a_wire_has_its_own_mac_for_everything(tmp_path: Path) -> None:
    records, name = Records(tmp_path), stage.new_name()
    with wire() as (parent, client, client_ip):
        first = f"{client_ip.rpartition('.')[0]}.100/24"
        try:
            lan = control.up_macvlan(name, 10, first, parent, records)
            macs: dict[str, str] = {}
            do_inside(client, lambda: _be_the_client(lan, client_ip, macs))
            assert macs == {ip: mac_of(ip) for ip in everybody(lan)}
            found = iproute.run("-netns", client, "-j", "neigh", "show")
            neighbours = msgspec.json.decode(found, type=list[Neighbour])
            seen = {each.dst: each.lladdr for each in neighbours if each.lladdr}
            assert seen == macs, "the client's neighbour table"
        finally:
            control.down(name, records)
        assert list(records) == []
        again = control.up_macvlan(name, 10, first, parent, records)
        assert again == lan, "addresses and MACs are free at once"
        control.down(name, records)


def _be_the_client(lan: Arrangement, client_ip: str, macs: dict[str, str]) -> None:
    """Listen to all, ask all and connect to all; put down from which MAC each has announced itself."""
    with (
        asker(client_ip) as client,
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as wire_tap,
    ):
        wire_tap.bind(("eth0", 0x0800))
        wire_tap.settimeout(10)
        with stage.tenants(lan):
            while len(macs) < lan.devices_max:
                packet, address = wire_tap.recvfrom(2000)
                if packet[22:24] == (6667).to_bytes(2, "big"):
                    assert socket.inet_ntoa(packet[16:20]) == lan.broadcast_ip
                    macs[socket.inet_ntoa(packet[12:16])] = address[4].hex(":")
            for everyone in (lan.broadcast_ip, "255.255.255.255"):
                answers = ask_all(client, everyone, lan.devices_max)
                assert answers == {ip: ip.encode() for ip in everybody(lan)}
            for ip in everybody(lan):
                socket.create_connection((ip, 6668), 5).close()


def test_a_wire_that_does_not_take_them_is_one_line(tmp_path: Path) -> None:
    with stage.namespace() as name, pytest.raises(UsageError, match="there is a network namespace"):
        control.up_macvlan(name, 1, "10.99.0.5/16", "lo", Records(tmp_path))
    with pytest.raises(UsageError, match="ip link add link lo name cloud"):
        control.up_macvlan(stage.new_name(), 1, "10.99.0.5/16", "lo", Records(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_thousand_macs_fit(tmp_path: Path) -> None:
    records, name = Records(tmp_path), stage.new_name()
    with wire() as (parent, _, __):
        try:
            lan = control.up_macvlan(name, macvlan.DEVICES_MAX, "10.99.0.5/16", parent, records)
            links = iproute.links(macvlan.GROUP, namespace=name)
            assert len(links) == lan.devices_max + 1
        finally:
            control.down(name, records)
