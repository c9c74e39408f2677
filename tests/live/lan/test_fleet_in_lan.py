"""A fleet that lives in a LAN of its own, as a client on this host meets it."""

import json
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.lan import control, namespace
from fleet.lan.arrangement import Arrangement, mac_of
from fleet.lan.record import namespace_number, own_number
from fleet.run.hosting import in_loop
from tests.live.run.support import QUICK

from . import tenants as stage

pytestmark = stage.root_only


@contextmanager
def lan_of(devices: int) -> Iterator[Arrangement]:
    """Lend a LAN with its record where every command looks for it."""
    name = stage.new_name()
    try:
        yield control.up_veth(name, devices, stage.network())
    finally:
        if namespace_number(name):
            control.down(name)


def start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "fleet", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def hear(lan: Arrangement, count: int) -> set[str]:
    """Return from where announcements come, as soon as there are so many devices."""
    found: set[str] = set()
    with ExitStack() as stack:
        listeners = [stack.enter_context(listener(lan.broadcast_ip, port)) for port in (6666, 6667)]
        while len(found) < count:
            readable, _, _ = select.select(listeners, [], [], 20)
            assert readable, found
            found |= {each.recvfrom(2000)[1][0] for each in readable}
    return found


def listener(ip: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    opened.bind((ip, port))
    return opened


async def log_in(ready: dict[str, Any]) -> None:
    async with CloudLink(ready["console"]) as link:
        account = next(each for each in ready["accounts"] if each["role"] != "consumer")
        await ConsoleClient.login(link, account["name"], account["password"])


def test_a_client_on_this_host_reaches_devices_and_cloud(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ready_file, pcap = tmp_path / "ready.json", tmp_path / "lan.pcap"
    words = ("--profile", "nvr", "--devices", "4", "--state", "waiting")
    files = ("--ready-file", str(ready_file), "--pcap", str(pcap))
    with lan_of(4) as lan, start("up", *words, "--lan", lan.name, *files) as fleet:
        try:
            while not ready_file.exists():
                assert fleet.poll() is None
                time.sleep(0.05)
            ready = json.loads(ready_file.read_text())
            places = {device["ip"]: device["mac"] for device in ready["devices"]}
            assert places == {ip: mac_of(ip) for ip in map(lan.address, range(4))}
            assert ready["console"].startswith(f"http://{lan.cloud_ip}:")
            in_loop(log_in(ready))
            assert hear(lan, 4) == set(places)
            for ip in places:
                socket.create_connection((ip, 6668), 5).close()
            with start("up", "--lan", lan.name) as second:
                assert second.wait(60) == 2
            assert f"fleet: LAN {lan.name} is held by another run" in capfd.readouterr().err
        finally:
            fleet.send_signal(signal.SIGINT)
            output, _ = fleet.communicate(timeout=60)
        assert fleet.returncode == 0
        assert f"LAN {lan.name}, {lan.network}: cloud at http://{lan.cloud_ip}:" in output
        assert "this host reaches them; others do only if it forwards for them" in output
        assert f"{pcap}: " in output
        assert pcap.stat().st_size > 24 + 4 * 100, "at least a packet of each"


def test_a_whole_run_in_a_lan(tmp_path: Path) -> None:
    with lan_of(18) as lan:
        words = ("--decoder", "zxing", "--report", str(tmp_path), "--lan", lan.name)
        with start("run", QUICK, *words) as run:
            output, _ = run.communicate(timeout=100)
    assert run.returncode == 0, output
    assert json.loads((tmp_path / "report.json").read_text())["passed"]


def test_whoever_entered_is_in_it_and_so_are_his_children(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys; from pathlib import Path; from fleet.lan.entry import enter\n"
        "from fleet.lan.record import Records, own_number\n"
        "outside = own_number()\n"
        "enter(sys.argv[1], 3, Records(Path(sys.argv[2])))\n"
        "print(outside, own_number(), flush=True)\n"
        "subprocess.run(['readlink', '/proc/self/ns/net'], check=True)"
    )
    with stage.veth_lan(tmp_path, 3) as lan:
        done = subprocess.run(
            [sys.executable, "-c", program, lan.name, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
        )
        inside = namespace_number(lan.name)
    assert inside != own_number()
    assert done.stdout == f"{own_number()} {inside}\nnet:[{inside}]\n"


def test_a_lan_that_is_too_small_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with lan_of(3) as lan, start("up", "--devices", "4", "--lan", lan.name) as fleet:
        assert fleet.wait(60) == 2
    message = f"fleet: LAN {lan.name} has addresses for 3 devices, not for 4\n"
    assert capfd.readouterr().err == message


def test_addresses_of_the_host_are_not_those_of_devices() -> None:
    with lan_of(3) as lan:
        own = {namespace.host_ip(lan), lan.cloud_ip, lan.broadcast_ip}
        assert own.isdisjoint(lan.address(index) for index in range(3))
