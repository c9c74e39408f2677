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
_TOLD = re.compile(r"(?:[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")
_PORT_MAX = 65_535
_FORM = "it reads mqtt://USER:PASSWORD@HOST:PORT, with %2F for a / in a password, and so on"


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


def parse_address(url: str) -> BrokerAddress:
    """Return the address that a URL names. Raises UsageError, which shows nothing of the URL."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise UsageError(f"not the address of a broker; {_FORM}") from None
    if not _fits(parts):
        raise UsageError(f"not the address of a broker; {_FORM}")
    if options.keys() - _OPTIONS:
        raise UsageError("the address of a broker has the options access, ca and told")
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    told = options.get("told", f"{shown}:{port}")
    matched = _TOLD.fullmatch(told)
    if matched is None or not 0 < int(matched[1]) <= _PORT_MAX:
        raise UsageError("the option told of a broker's address is HOST:PORT")
    try:
        access = Access(options.get("access", Access.DYNSEC))
    except ValueError:
        raise UsageError("the option access of a broker's address is dynsec or http") from None
    return BrokerAddress(
        host=host,
        port=port,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        told=told,
        tls=parts.scheme == "mqtts",
        ca_file=options.get("ca", ""),
        access=access,
    )


def _fits(parts: SplitResult) -> bool:
    """Say whether the parts are all there and none is where it does not belong."""
    # A password with a bare "/" or "#" ends the host early.
    complete = bool(parts.hostname and parts.username and parts.password)
    return parts.scheme in _PORTS and complete and parts.path in {"", "/"} and not parts.fragment
