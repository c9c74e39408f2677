"""`fleet cloud`: serve, say where, and write it to a file for programs that wait for it.

The ready file holds access secrets and passwords, so only its owner may read it, and it goes away
with the cloud.
"""

import ipaddress
from pathlib import Path

import msgspec
import typer

from firmware_sim.errors import UsageError
from firmware_sim.wire import atop, iot_dns
from fleet.cloud.accounts import Account
from fleet.cloud.edge.process import ServerConfig, stay
from fleet.cloud.edge.server import Ready
from fleet.cloud.projects import Project
from fleet.cloud.seed import Seed
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Store
from fleet.cloud.users import User
from fleet.run.files import write_atomically

LOOPBACK = "127.0.0.1"


class Wish(msgspec.Struct, frozen=True):
    """What was asked for; `host` None: loopback, and nobody else."""

    data: str = ""
    seed: Seed | None = None
    settings: Settings | None = None
    ready_file: Path | None = None
    host: str | None = None
    told_host: str = ""
    port: int = 0
    mqtt_port: int = 0


class Person(msgspec.Struct, frozen=True):
    """Somebody who can log in, as far as this start knows the password."""

    name: str
    password: str
    role: str

    def __repr__(self) -> str:
        """Show who, never the password."""
        return f"Person({self.name!r}, {self.role!r})"


class Key(msgspec.Struct, frozen=True):
    """An access key of the Open API."""

    access_id: str
    access_secret: str
    owner: str
    schemas: tuple[str, ...]

    def __repr__(self) -> str:
        """Show whose it is, never the secret."""
        return f"Key({self.access_id!r}, owner={self.owner!r})"


class Papers(msgspec.Struct, frozen=True):
    """The ready file: where everything is, the first access key, and all of them.

    `accounts` are those of the built-in data set that are there: no other password is known.
    """

    console: str
    open_api: str
    device_api: str
    iot_dns: str
    mqtt: str
    push: str
    access_id: str
    access_secret: str
    schema: str
    projects: tuple[Key, ...]
    accounts: tuple[Person, ...]

    def __repr__(self) -> str:
        """Show where, never a secret."""
        return f"Papers({self.console!r})"


def serve(wish: Wish) -> None:
    """Serve a cloud until Ctrl-C or SIGTERM.

    Raises UsageError when it cannot start or go on, or the ready file cannot be written.
    """
    host = wish.host or LOOPBACK
    if _is_every_address(host) and not wish.told_host:
        raise UsageError(
            f"{host} is every address of this machine: name with --told-host the one that devices "
            "are to use"
        )
    config = ServerConfig(
        data=wish.data or None,
        host=host,
        http_port=wish.port,
        mqtt_port=wish.mqtt_port,
        public=wish.host is not None,
        told_host=wish.told_host,
        settings=wish.settings or Settings(),
        seed=wish.seed,
    )

    def announce(ready: Ready, store: Store) -> None:
        told = msgspec.structs.replace(ready, host=wish.told_host or ready.host)
        papers = _papers(told, store, wish.seed or Seed())
        if wish.ready_file is not None:
            data = msgspec.json.format(msgspec.json.encode(papers))
            write_atomically(wish.ready_file, data + b"\n", mode=0o600)
        for line in _lines(papers):
            typer.echo(line)

    _remove(wish.ready_file)  # of an earlier start
    try:
        stay(config, announce)
    finally:
        _remove(wish.ready_file)


def _papers(ready: Ready, store: Store, seed: Seed) -> Papers:
    keys = tuple(
        Key(project.access_id, project.secret, project.owner, project.schemas)
        for project in store.load(Project)
    )
    first = keys[0] if keys else Key("", "", "", ())
    developers = {account.name for account in store.load(Account)}
    consumers = {user.uid for user in store.load(User)}
    return Papers(
        console=ready.url,
        open_api=ready.url,
        device_api=ready.url + atop.PATH,
        iot_dns=ready.url + iot_dns.PATH,
        mqtt=ready.mqtt_url,
        push=ready.push_url,
        access_id=first.access_id,
        access_secret=first.access_secret,
        schema=next(iter(first.schemas), ""),
        projects=keys,
        accounts=(
            *(
                Person(x.name, x.password, "developer")
                for x in seed.accounts
                if x.name in developers
            ),
            *(Person(x.name, x.password, "consumer") for x in seed.users if x.uid in consumers),
        ),
    )


def _lines(papers: Papers) -> list[str]:
    """Return what a person at the terminal is told; secrets are in the ready file."""
    access = f", access id {papers.access_id}" if papers.access_id else ""
    return [
        f"Open API, console, app: {papers.open_api}{access}",
        f"message push: {papers.push}",
        f"devices: {papers.iot_dns}, {papers.mqtt}",
        "Ctrl-C stops it",
    ]


def _is_every_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _remove(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)
