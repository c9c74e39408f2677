"""Makes LANs and removes them, whole or half-made, and nothing that is not ours."""

import os
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import msgspec

from firmware_sim.errors import UsageError
from fleet.lan import iproute, macvlan, namespace
from fleet.lan.arrangement import Arrangement, Kind, mac_of
from fleet.lan.entry import do_inside, need_linux
from fleet.lan.namespace import Steps
from fleet.lan.record import Record, Records, namespace_number

_SYS = Path("/proc/sys")
_LINKS = Path("/sys/class/net")


def up_veth(name: str, devices: int, network: str, records: Records | None = None) -> Arrangement:
    """Make a LAN inside this host and return it. Raises UsageError; then nothing is left of it."""
    _need_root()
    records = records or Records()
    records.need_free(name)
    lan = namespace.plan(name, devices, network)
    for other, interface in iproute.routes():
        if other.overlaps(IPv4Network(network)):
            raise UsageError(
                f"{network} overlaps {other}, which this host reaches through {interface}; "
                "choose another --network"
            )
    return _make(Record(lan), namespace.steps(lan), records)


def up_macvlan(
    name: str, devices: int, first: str, parent: str, records: Records | None = None
) -> Arrangement:
    """Make a LAN on the wire of interface `parent` and return it; raises as `up_veth` does."""
    _need_root()
    records = records or Records()
    records.need_free(name)
    lan = macvlan.plan(name, devices, first)
    if not (_LINKS / parent).exists():
        known = ", ".join(sorted(path.name for path in _LINKS.iterdir()))
        raise UsageError(f"--parent {parent}: no such interface; there are: {known}")
    for ip in iproute.addresses(parent):
        if IPv4Address(lan.first_ip) <= ip <= IPv4Address(lan.cloud_ip):
            raise UsageError(
                f"--first {first}: {ip} is the address of {parent} itself; choose others"
            )
    return _make(Record(lan, parent), macvlan.steps(lan, parent), records)


def down(name: str, records: Records | None = None) -> None:
    """Remove a LAN and all that belongs to it, even if it was only half made.

    Raises UsageError when it is not ours, or somebody still uses it.
    """
    _need_root()
    records = records or Records()
    record = records.load(name)
    if record.state == "replaced":
        raise UsageError(
            f"the namespace {name} is not the one that fleet lan up has made, so it stays; "
            f"if nobody needs it: ip netns del {name}, then again"
        )
    if namespace_number(name):
        users = iproute.run("netns", "pids", name).split()
        if users:
            raise UsageError(
                f"LAN {name} is used by {len(users)} processes, the first is {users[0]}; end them"
            )
    _remove(record)
    records.remove(name)


def _need_root() -> None:
    need_linux()
    if os.geteuid() != 0:
        raise UsageError(
            "only root can make and remove network namespaces: use sudo "
            "(without --lan, devices live on loopback addresses, which needs no root)"
        )


def _make(record: Record, steps: Steps, records: Records) -> Arrangement:
    """Make everything; the record comes first, so that whatever is made can be found again."""
    name = record.lan.name
    records.create(record)
    try:
        _add(name)
    except BaseException:
        records.remove(name)
        raise
    record = msgspec.structs.replace(record, number=namespace_number(name))
    try:
        records.update(record)
        do_inside(name, lambda: _set(steps.settings))
        iproute.batch(steps.outside)
        iproute.batch(steps.inside, namespace=name)
        records.update(msgspec.structs.replace(record, whole=True))
    except BaseException:
        _remove(record)
        records.remove(name)
        raise
    return record.lan


def _add(name: str) -> None:
    """Make a namespace; one that is there already is not ours, whatever its name."""
    if namespace_number(name):
        raise UsageError(f"there is a network namespace {name} already; choose another name")
    iproute.run("netns", "add", name)


def _set(settings: tuple[tuple[str, str], ...]) -> None:
    """Write settings of the kernel for the namespace that we are in; IPv6 may be missing.

    Raises UsageError where they cannot be written, as in most containers.
    """
    for path, value in settings:
        if not (_SYS / path).exists():
            continue
        try:
            (_SYS / path).write_text(value)
        except OSError as error:
            raise UsageError(
                f"cannot write {_SYS / path} ({error.strerror}); {iproute.FORBIDDEN}"
            ) from error


def _remove(record: Record) -> None:
    """Remove links first: a namespace that somebody still holds would keep them alive."""
    name = record.lan.name
    if record.lan.kind is Kind.VETH and _has_host_interface(record.lan):
        iproute.run("link", "del", namespace.host_interface(name))
    if namespace_number(name):
        if iproute.links(macvlan.GROUP, namespace=name):
            iproute.run("-netns", name, "link", "del", "group", str(macvlan.GROUP))
        iproute.run("netns", "del", name)


def _has_host_interface(lan: Arrangement) -> bool:
    """Say whether our end of the veth pair is there; one of its name with another MAC is not ours."""
    try:
        mac = (_LINKS / namespace.host_interface(lan.name) / "address").read_text().strip()
    except FileNotFoundError:
        return False
    return mac == mac_of(namespace.host_ip(lan))
