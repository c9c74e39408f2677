"""Where an external broker is, and as whom the cloud connects to it: one URL.

`mqtt://USER:PASSWORD@HOST:PORT`, or `mqtts://` over TLS, and after a `?`:

- `access=dynsec` (default): Mosquitto's dynamic security; the user administers it. `access=http`:
  a broker that asks `/broker/v1/authentication` and `/broker/v1/authorization` of this cloud, as
  EMQX 5 does; the user is one that those calls let in.
- `ca=FILE`: whose certificates are trusted, in the place of the system's (or of `SSL_CERT_FILE`).
- `told=HOST:PORT`: where devices are told that the broker is, if that is another address.
"""

import re
from enum import StrEnum
from typing import ClassVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from firmware_sim.errors import UsageError
from firmware_sim.wire.structs import Secretive

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_OPTIONS = frozenset({"access", "ca", "told"})
_PLACE = re.compile(r"([0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_PORT_MAX = 65_535
_FORM = "mqtt://USER:PASSWORD@HOST:PORT, with %2F for a / in a password, and so on"


class Access(StrEnum):
    """How the broker comes to know who may connect and what each may do."""

    DYNSEC = "dynsec"
    HTTP = "http"


class BrokerAddress(Secretive, frozen=True):
    """A broker that is not ours; `told` is where devices find it, as HOST:PORT."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    host: str
    port: int
    username: str
    password: str
    told: str
    tls: bool = False
    ca_file: str = ""
    access: Access = Access.DYNSEC

    def url_for_devices(self, *, tls: bool) -> str:
        """Return where devices connect, over TLS or not."""
        return f"mqtt{'s' if tls else ''}://{self.told}"

    def check(self, *, tls: bool) -> None:
        """Raise UsageError if devices, which use TLS or not, could not connect as they are told."""
        if tls == self.tls or self.told != _shown(self.host, self.port):
            return
        if self.tls:
            raise UsageError(
                "devices use TLS with --tls only, so that they cannot connect to a broker at "
                "mqtts://: add --tls, or ?told=HOST:PORT, where it listens without TLS"
            )
        raise UsageError(
            "devices use TLS with --tls, so that they cannot connect to a broker at mqtt://: "
            "write mqtts://, or add ?told=HOST:PORT, where it listens with TLS"
        )


def parse_address(url: str) -> BrokerAddress:
    """Return the address that a URL names. Raises UsageError, which shows nothing of the URL."""
    try:
        parts = urlsplit(url)
        username, password = _user(parts)
        # A plus is one: this is no form, and files have such names.
        query = parts.query.replace("+", "%2B")
        told = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise UsageError(f"not the address of a broker; it reads {_FORM}") from None
    if parts.scheme not in _PORTS:
        raise UsageError("the address of a broker begins with mqtt://, or with mqtts:// for TLS")
    # A password with a bare "/" or "#" ends the host early.
    if parts.path not in {"", "/"} or parts.fragment:
        raise UsageError(f"not the address of a broker; it reads {_FORM}")
    if not username or not password:
        raise UsageError(f"the address of a broker names a user and a password: {_FORM}")
    host, port = _place(parts.netloc.rpartition("@")[2], _PORTS[parts.scheme], "a broker's address")
    options = _options(told)
    if "ca" in options and parts.scheme != "mqtts":
        raise UsageError("the option ca of a broker's address is of use with mqtts:// only")
    return BrokerAddress(
        host=host,
        port=port,
        username=username,
        password=password,
        told=options.get("told", _shown(host, port)),
        tls=parts.scheme == "mqtts",
        ca_file=options.get("ca", ""),
        access=Access(options.get("access", Access.DYNSEC)),
    )


def _user(parts: SplitResult) -> tuple[str, str]:
    """Return user and password; ValueError for what MQTT has no form for (section 1.5.3)."""
    user, password = (
        unquote(text or "", errors="strict") for text in (parts.username, parts.password)
    )
    if "\0" in user + password:
        raise ValueError
    return user, password


def _place(text: str, port: int, where: str) -> tuple[str, int]:
    """Return host and port; `port` unless there is one, 0 for one that has to be there."""
    found = _PLACE.fullmatch(text)
    port = int(found[2] or port) if found is not None else 0
    if found is None or not 0 < port <= _PORT_MAX:
        raise UsageError(
            f"{where} has a host and a port as HOST:PORT; an IPv6 address is in brackets, a port "
            f"at most {_PORT_MAX}"
        )
    return found[1].strip("[]").lower(), port


def _options(told: list[tuple[str, str]]) -> dict[str, str]:
    options = dict(told)
    if options.keys() - _OPTIONS or len(options) < len(told):
        raise UsageError("the address of a broker has the options access, ca and told, each once")
    if "told" in options:
        _place(options["told"], 0, "the option told of a broker's address")
    if options.get("access", Access.DYNSEC) not in set(Access):
        raise UsageError("the option access of a broker's address is dynsec or http")
    if options.get("ca") == "":
        raise UsageError("the option ca of a broker's address names a file")
    return options


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
