"""Data centres: several in one server, told apart by host name, port or the beginning of the path.

A program reaches a centre by the host name that the vendor gives it (routed here), by a name of
the operator's choice (`open_hosts`), by a port of its own, or by a path that begins with the
centre's name: the endpoint `http://127.0.0.1:8080/eu` is Central Europe. The path counts first,
then the port, then the host name; any other address is the centre `region` of the settings. To the
gateway a port is a path: the edge puts the name before what comes in there (`within`). Host names
are those of tuya/tuya-connector-python (`tuya_connector/openapi.py`,
`TuyaCloudOpenAPIEndpoint`) and jasonacox/tinytuya (`tinytuya/Cloud.py`).
"""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from firmware_sim.errors import UsageError


class Centre(msgspec.Struct, frozen=True):
    """One data centre: code, name, host of its Open API, and the paths that lead to it."""

    code: str
    name: str
    host: str
    prefixes: tuple[str, ...]


CENTRES = (
    Centre("AY", "China", "openapi.tuyacn.com", ("cn", "ay")),
    Centre("AZ", "Western America", "openapi.tuyaus.com", ("us", "az")),
    Centre("UE", "Eastern America", "openapi-ueaz.tuyaus.com", ("us-e", "ueaz", "ue")),
    Centre("EU", "Central Europe", "openapi.tuyaeu.com", ("eu",)),
    Centre("WE", "Western Europe", "openapi-weaz.tuyaeu.com", ("eu-w", "weaz", "we")),
    Centre("IN", "India", "openapi.tuyain.com", ("in",)),
    Centre("SG", "Singapore", "openapi-sg.iotbing.com", ("sg",)),
)
CODES = tuple(centre.code for centre in CENTRES)

_VERSIONS = ("v1.", "v2.")
_PUSH = "ws/v2/"
_BY_PREFIX = {prefix: centre.code for centre in CENTRES for prefix in centre.prefixes}
_CACHED = 4_096


class Place(msgspec.Struct, frozen=True):
    """Where a request goes: a data centre, and the path there, which is the one that is signed."""

    region: str
    path: str


class Gazetteer:
    """Finds the data centre of a request."""

    def __init__(self, default: str, hosts: Iterable[str]) -> None:
        """Send what names no centre to `default`; `hosts` are further names (`EU eu.cloud.test`).

        UsageError for a host of a centre that does not exist.
        """
        self._default = default
        self._by_host = {centre.host: centre.code for centre in CENTRES}
        for line in hosts:
            code, _, host = line.partition(" ")
            self._by_host[host.lower()] = _known(code)

    def locate(self, host: str, path: str) -> Place:
        """Return the place of a request from its Host header and path (without query)."""
        prefix, inner = split_prefix(path)
        if prefix:
            return Place(_BY_PREFIX[prefix], inner)
        name = host.lower()
        found = self._by_host.get(name) or self._by_host.get(name.rpartition(":")[0])
        return Place(found or self._default, path)


class CutOff:
    """Networks that a data centre does not serve."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Read lines such as `EU 203.0.113.0/24`. UsageError for one that is none."""
        self._networks: dict[str, tuple[str, ...]] = {}
        for line in lines:
            code, _, network = line.partition(" ")
            check_network(network)
            self._networks[_known(code)] = (*self._networks.get(code, ()), network)

    def applies(self, region: str, ip: str) -> bool:
        """Tell whether `region` does not serve a caller at `ip`."""
        return in_networks(ip, self._networks.get(region, ()))


def is_open_path(path: str) -> bool:
    """Tell whether a path (without query) is the Open API's, with the name of a centre or not."""
    return split_prefix(path)[1].startswith(_VERSIONS, 1)


def split_prefix(path: str) -> tuple[str, str]:
    """Return the name of a data centre that the path begins with ("" for none), and the rest."""
    first, slash, _ = path[1:].partition("/")
    if slash and first in _BY_PREFIX:
        return first, path[1 + len(first) :]
    return "", path


def within(code: str, target: str) -> str:
    """Return a request target as one that begins with the name of the data centre `code`.

    One that names a centre already, or that centres have nothing to do with, stays what it is.
    """
    named, path = split_prefix(target.partition("?")[0])
    if named or not (path.startswith(_VERSIONS, 1) or path.lstrip("/").startswith(_PUSH)):
        return target
    return f"/{prefix_of(code)}{target}"


def prefix_of(code: str) -> str:
    """Return the name of a data centre in paths; any of its names leads there, this is the first."""
    return next(centre.prefixes[0] for centre in CENTRES if centre.code == code)


def code_of(name: str) -> str:
    """Return the code of a data centre by that or by a name in paths. UsageError for no name."""
    return _known(_BY_PREFIX.get(name, name))


def check_network(text: str) -> None:
    """Raise UsageError unless `text` is an address or a network (`10.0.0.0/8`)."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise UsageError(f"{text!r} is neither an address nor a network") from None


@lru_cache(_CACHED)
def in_networks(ip: str, networks: tuple[str, ...]) -> bool:
    """Tell whether address `ip` lies in one of `networks`; what is no address lies in none."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address  # as a socket for both families shows it
    return any(address in ipaddress.ip_network(network, strict=False) for network in networks)


def _known(code: str) -> str:
    if code not in CODES:
        raise UsageError(f"{code!r} is no data centre: choose one of {', '.join(CODES)}")
    return code
