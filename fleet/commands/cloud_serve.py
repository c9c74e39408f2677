"""`fleet cloud`: serve, say where, and write it to a file for programs that wait for it."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import typer

from firmware_sim.errors import UsageError
from fleet.cloud.accounts import Account
from fleet.cloud.edge.process import ServerConfig, stay
from fleet.cloud.edge.server import Ready
from fleet.cloud.external import BrokerAddress
from fleet.cloud.open.regions import code_of
from fleet.cloud.projects import Project
from fleet.cloud.seed import Seed
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Store
from fleet.cloud.users import User
from fleet.run.files import announcement
from fleet.run.ready_file import Papers, ReadyAccount, ReadyKey, encode, papers

LOOPBACK = "127.0.0.1"
_NAME = re.compile(r"[0-9A-Za-z._-]+")


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
    region_ports: Mapping[str, int] = {}  # by code of a data centre
    tls: bool = False
    tls_folder: str = ""
    device_https_port: int | None = None
    broker: BrokerAddress | None = None


def read_region_ports(lines: Iterable[str]) -> dict[str, int]:
    """Return ports by code of a data centre from lines such as `us=8081`. Raises UsageError."""
    ports: dict[str, int] = {}
    for line in lines:
        name, _, port = line.partition("=")
        code = code_of(name)
        if not port.isdecimal() or code in ports:
            raise UsageError(f"--region-port {line}: give each data centre one port, as us=8081")
        ports[code] = int(port)
    return ports


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
    if wish.told_host and not _is_address(wish.told_host) and not _NAME.fullmatch(wish.told_host):
        raise UsageError(f"--told-host {wish.told_host}: give a name or an address, without port")
    config = ServerConfig(
        data=wish.data or None,
        host=host,
        http_port=wish.port,
        mqtt_port=wish.mqtt_port,
        region_ports=wish.region_ports,
        public=wish.host is not None,
        told_host=wish.told_host,
        settings=wish.settings or Settings(),
        seed=wish.seed,
        tls=wish.tls,
        tls_folder=wish.tls_folder,
        device_https_port=wish.device_https_port,
        broker=wish.broker,
    )
    with announcement(wish.ready_file) as announce:

        def tell(ready: Ready, store: Store) -> None:
            there = msgspec.structs.replace(ready, host=wish.told_host or ready.host)
            told = _papers(there, store, wish.seed or Seed())
            announce(encode(told))
            for line in _lines(told, empty=not list(store.load(Account))):
                typer.echo(line)

        stay(config, tell)


def _papers(ready: Ready, store: Store, seed: Seed) -> Papers:
    """Return what is known: keys of all projects, passwords of people in the built-in data set."""
    first = [project.access_id for project in seed.projects[:1]]
    projects = sorted(store.load(Project), key=lambda project: project.access_id not in first)
    developers = {account.name for account in store.load(Account)}
    consumers = {user.uid for user in store.load(User)}
    return papers(
        ready,
        [ReadyKey(one.access_id, one.secret, one.owner, one.schemas) for one in projects],
        [
            *(
                ReadyAccount(one.name, one.password, "developer")
                for one in seed.accounts
                if one.name in developers
            ),
            *(
                ReadyAccount(one.name, one.password, "consumer")
                for one in seed.users
                if one.uid in consumers
            ),
        ],
    )


def _lines(told: Papers, *, empty: bool) -> list[str]:
    """Return what a person at the terminal is told; secrets are in the ready file."""
    access = f", access id {told.access_id}" if told.access_id else ""
    hint = "nobody can log in yet: start with --demo, or put people in with `fleet cloud seed`"
    return [
        f"Open API, console, app: {told.open_api}{access}",
        f"message push: {told.push}",
        f"devices: {told.iot_dns}, {told.mqtt}",
        *([hint] if empty else []),
        "Ctrl-C stops it",
    ]


def _is_every_address(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
