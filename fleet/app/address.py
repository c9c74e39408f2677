"""Addresses that somebody typed, or that a file names: the LAN knows dotted quads and nothing else.

No name is looked up: a list of devices must not make the phone ask the internet for them.
"""

from firmware_sim.errors import UsageError


def ipv4(text: str) -> str:
    """Return `text` if it is an IPv4 address; raises `UsageError`."""
    if not is_ipv4(text):
        raise UsageError(f"{text!r} is no IPv4 address, such as 192.168.1.20")
    return text


def is_ipv4(text: str) -> bool:
    """Say whether `text` is an IPv4 address."""
    parts = text.split(".")
    return len(parts) == 4 and _OCTETS.issuperset(parts)


_OCTETS = frozenset(map(str, range(256)))
