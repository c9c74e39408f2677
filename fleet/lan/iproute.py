"""The program `ip` of iproute2, which makes namespaces, interfaces and routes.

One process and one batch for thousands of lines: a process for each would take a second per
thousand, and a netlink library in Python takes eight times as long as the batch.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

import msgspec

from firmware_sim.errors import UsageError

_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
_LACKING = (
    "the kernel has no such thing: veth, macvlan and network namespaces are modules of every usual "
    "distribution kernel (modprobe veth macvlan), but small ones leave them out"
)
FORBIDDEN = "a container needs --privileged; on a plain host use sudo"
_ADVICE = {
    "Operation not permitted": FORBIDDEN,
    "Permission denied": FORBIDDEN,
    "Operation not supported": _LACKING,
    "Unknown device type": _LACKING,
    "Protocol not supported": _LACKING,
}


class Link(msgspec.Struct, frozen=True):
    """An interface, as `ip -j link` tells it; one that was not asked for has no name."""

    ifname: str = ""


class Address(msgspec.Struct, frozen=True):
    """One address of an interface, as `ip -j addr` tells it."""

    local: str


class Interface(msgspec.Struct, frozen=True):
    """An interface and its addresses."""

    addr_info: tuple[Address, ...] = ()


class Route(msgspec.Struct, frozen=True):
    """A route of this host, as `ip -j route` tells it."""

    dst: str
    dev: str = ""


def run(*words: str, stdin: str = "") -> str:
    """Run `ip` with these arguments and return what it prints.

    Raises UsageError when it is not installed or does not succeed.
    """
    program = shutil.which("ip", path=_PATH)
    if program is None:
        raise UsageError(
            "the program ip is missing; install iproute2 (Debian: apt-get install iproute2)"
        )
    done = subprocess.run(  # noqa: S603 - no shell, and every word is checked or our own
        [program, *words], input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UsageError(explain(words, stdin, done.stderr))
    return done.stdout


def batch(lines: Sequence[str], *, namespace: str = "") -> None:
    """Carry out many lines in order, in a namespace if one is named; raises as `run` does."""
    where = ("-netns", namespace) if namespace else ()
    run(*where, "-batch", "-", stdin="".join(f"{line}\n" for line in lines))


def links(group: int, *, namespace: str) -> list[str]:
    """Return the interfaces of a group in a namespace."""
    printed = run("-netns", namespace, "-j", "link", "show", "group", str(group))
    found = msgspec.json.decode(printed, type=list[Link])
    return [link.ifname for link in found if link.ifname]


def addresses(interface: str) -> list[IPv4Address]:
    """Return the addresses of an interface of this host; raises UsageError when there is none."""
    printed = run("-j", "-4", "addr", "show", "dev", interface)
    found = msgspec.json.decode(printed, type=list[Interface])
    return [IPv4Address(address.local) for each in found for address in each.addr_info]


def routes() -> list[tuple[IPv4Network, str]]:
    """Return the networks that this host reaches and through what, but for the default route.

    Some VPNs write that as two routes, one for each half of all addresses.
    """
    found = msgspec.json.decode(run("-j", "-4", "route", "show"), type=list[Route])
    known = [(IPv4Network(route.dst), route.dev) for route in found if route.dst != "default"]
    return [(network, dev) for network, dev in known if network.prefixlen > 1]


def explain(words: Sequence[str], stdin: str, stderr: str) -> str:
    """Return one line: what was asked of `ip`, what it said, and what to do about it."""
    lines = [line for line in stderr.splitlines() if line and not line.startswith("Command failed")]
    said = lines[0].removeprefix("Error: ").removeprefix("RTNETLINK answers: ") if lines else "?"
    asked = " ".join(words)
    failed = re.search(r"^Command failed -:(\d+)", stderr, re.MULTILINE)
    if failed:
        asked = stdin.splitlines()[int(failed[1]) - 1]
    advice = next((text for key, text in _ADVICE.items() if key in stderr), "")
    return f"ip {asked}: {said.rstrip('.')}" + (f"; {advice}" if advice else "")
