"""What makes no LAN, before anything is touched."""

import os
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.lan import control, entry, iproute, record
from fleet.lan.namespace import plan
from fleet.lan.record import Record, Records, namespace_number


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, ...]]:
    """Let us be root on a machine without namespaces, whose `ip` only notes what it is asked."""
    calls: list[tuple[str, ...]] = []

    def run(*words: str, stdin: str = "") -> str:
        calls.append(words)
        return "[]"

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(iproute, "run", run)
    for module in (record, entry):
        monkeypatch.setattr(module, "NAMESPACES", tmp_path)
    return calls


def test_only_root_may(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    records = Records(tmp_path)
    with pytest.raises(UsageError, match="only root can make and remove network namespaces"):
        control.up_veth("shop", 1, "10.77.0.0/16", records)
    with pytest.raises(UsageError, match="use sudo"):
        control.up_macvlan("shop", 1, "10.77.0.5/16", "lo", records)
    with pytest.raises(UsageError, match="needs no root"):
        control.down("shop", records)


def test_a_network_that_the_host_reaches_elsewhere(
    ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(iproute, "routes", lambda: [(IPv4Network("10.0.0.0/8"), "tun0")])
    with pytest.raises(UsageError, match=r"10.77.0.0/16 overlaps 10.0.0.0/8, .* through tun0"):
        control.up_veth("shop", 1, "10.77.0.0/16", Records(tmp_path))
    assert ran == []


@pytest.mark.usefixtures("ran")
def test_a_parent_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--parent eth77: no such interface; there are: .*lo"):
        control.up_macvlan("shop", 1, "10.77.0.5/16", "eth77", Records(tmp_path))


def test_the_parents_own_address_is_not_given_away(
    ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(iproute, "addresses", lambda _: [IPv4Address("10.77.0.7")])
    with pytest.raises(UsageError, match=r"10\.77\.0\.7 is the address of lo itself"):
        control.up_macvlan("shop", 2, "10.77.0.5/16", "lo", Records(tmp_path))
    assert ran == []


def test_a_namespace_that_is_there_already_is_left_alone(
    ran: list[tuple[str, ...]], tmp_path: Path
) -> None:
    (tmp_path / "shop").touch()
    records = Records(tmp_path)
    with pytest.raises(UsageError, match="there is a network namespace shop already"):
        control.up_veth("shop", 1, "10.77.0.0/16", records)
    assert list(records) == []
    assert not [call for call in ran if "netns" in call]


def test_settings_of_a_kernel_that_takes_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(control, "_SYS", tmp_path)
    control._set((("net/ipv6/off", "1"),))
    (tmp_path / "net").mkdir()
    with pytest.raises(UsageError, match=r"cannot write .*/net \(.*\); a container needs"):
        control._set((("net", "1"),))


def test_a_second_one_of_the_same_name(ran: list[tuple[str, ...]], tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.create(Record(plan("shop", 1, "10.77.0.0/16"), number=7, whole=True))
    with pytest.raises(UsageError, match="there is a LAN shop already"):
        control.up_veth("shop", 1, "10.77.0.0/16", records)
    with pytest.raises(UsageError, match="there is a LAN shop already"):
        control.up_macvlan("shop", 1, "10.77.0.5/16", "lo", records)
    assert ran == []


def test_what_fails_midway_leaves_no_record(
    ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    records = Records(tmp_path)
    with pytest.raises(FileNotFoundError):  # this `ip` has made no namespace
        control.up_veth("shop", 1, "10.77.0.0/16", records)
    assert ran[-1] == ("netns", "add", "shop")
    assert list(records) == []


def test_a_namespace_of_somebody_else_is_not_removed(
    ran: list[tuple[str, ...]], tmp_path: Path
) -> None:
    (tmp_path / "shop").touch()
    made = Record(plan("shop", 1, "10.77.0.0/16"), number=1 + namespace_number("shop"), whole=True)
    records = Records(tmp_path)
    records.create(made)
    with pytest.raises(UsageError, match="the namespace shop is not the one that fleet lan up"):
        control.down("shop", records)
    with pytest.raises(UsageError, match="made no LAN hall here"):
        control.down("hall", records)
    assert (ran, records.load("shop")) == ([], made)


def test_what_is_used_is_not_removed(
    monkeypatch: pytest.MonkeyPatch, ran: list[tuple[str, ...]], tmp_path: Path
) -> None:
    (tmp_path / "shop").touch()
    records = Records(tmp_path)
    made = Record(plan("shop", 1, "10.77.0.0/16"), number=namespace_number("shop"), whole=True)
    records.create(made)
    monkeypatch.setattr(iproute, "run", lambda *_, **__: "4711\n4712\n")
    with pytest.raises(UsageError, match="LAN shop is used by 2 processes, the first is 4711"):
        control.down("shop", records)
    assert [record.state for record in records] == ["up"]


def test_what_is_gone_is_forgotten(ran: list[tuple[str, ...]], tmp_path: Path) -> None:
    records = Records(tmp_path)
    made = Record(plan("shop", 1, "10.77.0.0/16"))
    for number in (0, 7):
        records.create(msgspec.structs.replace(made, number=number))
        control.down("shop", records)
    assert (ran, list(records)) == ([], [])
