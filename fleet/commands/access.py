"""Which cloud, and as whom: options, environment and the ready file of `fleet up`, in that order.

The ready file is the JSON that `fleet up --ready-file FILE` writes when everything is up. Only
what the phone needs of it is read here.
"""

import sys
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
import typer

from firmware_sim.errors import UsageError
from firmware_sim.wire.structs import Secretive
from fleet.app.finder import EVERYWHERE

_OCTET = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
DottedQuad = Annotated[str, msgspec.Meta(pattern=rf"^({_OCTET}\.){{3}}{_OCTET}\Z")]


class ReadyAccount(msgspec.Struct, frozen=True):
    """An account that the started cloud knows."""

    name: str
    password: str = ""
    role: str = ""

    def __repr__(self) -> str:
        """Show who, never the password."""
        return f"ReadyAccount(name={self.name!r}, role={self.role!r}, password=***)"


class ReadyDevice(Secretive, frozen=True):
    """A device of the started fleet; `id` and `local_key` are empty while it is not bound."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"local_key"})

    ip: DottedQuad
    id: str = ""
    local_key: str = ""
    version: str = ""


class Ready(msgspec.Struct, frozen=True):
    """The part of the ready file that a phone needs."""

    console: str
    ca_file: str = ""
    accounts: tuple[ReadyAccount, ...] = ()
    devices: tuple[ReadyDevice, ...] = ()

    @property
    def network(self) -> str:
        """Return the LAN of the fleet: other fleets on this host have others."""
        if not self.devices:
            return EVERYWHERE
        first, second, *_ = self.devices[0].ip.split(".")
        return f"{first}.{second}.0.0/16"


class Access(msgspec.Struct, frozen=True):
    """Where to log in, as whom, on which LAN the phone is, and who vouches for the cloud."""

    url: str
    name: str
    password: str
    network: str = EVERYWHERE
    ca_file: str = ""

    def __repr__(self) -> str:
        """Show where and who, never the password."""
        return f"Access({self.name!r} at {self.url!r}, password=***)"


def read_ready(path: Path) -> Ready:
    """Return what `fleet up` wrote; raises `UsageError` if the file is missing or something else."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ready)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot read the ready file ({error.strerror}); is `fleet up` running?"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a ready file of `fleet up`: {error}") from None


def network_of(ready_file: Path | None) -> str:
    """Return the LAN of a fleet by its ready file, everywhere without one."""
    return read_ready(ready_file).network if ready_file is not None else EVERYWHERE


def resolve(cloud: str, ready_file: Path | None, account: str, password: str) -> Access:
    """Return where to log in and as whom; an empty text means that nothing was given.

    What was given wins over the ready file; a password that is nowhere is asked for. Raises
    `UsageError` when something is missing and nobody can be asked.
    """
    ready = read_ready(ready_file) if ready_file is not None else Ready(console="")
    url = cloud or ready.console
    if not url:
        raise UsageError("which cloud? give --cloud URL or --ready FILE, or set FLEET_CLOUD")
    if not account:
        known = ", ".join(entry.name for entry in ready.accounts)
        raise UsageError(f"which account? give --account NAME{f' (one of {known})' * bool(known)}")
    if not password:
        known_passwords = (entry.password for entry in ready.accounts if entry.name == account)
        password = next(known_passwords, "") or ask_secret(
            f"Password of {account}", "give --password or set FLEET_PASSWORD"
        )
    return Access(url, account, password, ready.network, ready.ca_file)


def ask_secret(question: str, otherwise: str) -> str:
    """Ask without echo; raises `UsageError` naming the way out when no terminal is there."""
    if not sys.stdin.isatty():
        raise UsageError(f"{question}? {otherwise}")
    answer: str = typer.prompt(question, hide_input=True, default="", show_default=False, err=True)
    return answer
