"""The ready file of `fleet cloud` and `fleet up`: where everything is, and who can log in.

It holds access secrets and passwords: write it as an `announcement` (`fleet.run.files`).
"""

from collections.abc import Iterable

import msgspec

from firmware_sim.wire import atop, iot_dns
from fleet.cloud.edge.server import Ready
from fleet.cloud.open.regions import CENTRES


class ReadyRegion(msgspec.Struct, frozen=True):
    """The endpoints of one data centre."""

    code: str
    name: str
    open_api: str
    push: str


class ReadyKey(msgspec.Struct, frozen=True):
    """An access key of the Open API, whose it is, and the apps of its project."""

    access_id: str
    access_secret: str
    owner: str
    schemas: tuple[str, ...]

    def __repr__(self) -> str:
        """Show whose it is, never the secret."""
        return f"ReadyKey({self.access_id!r}, owner={self.owner!r})"


class ReadyAccount(msgspec.Struct, frozen=True):
    """Somebody who can log in: at the console (owner, partner, ...) or in the app (consumer)."""

    name: str
    password: str
    role: str

    def __repr__(self) -> str:
        """Show who, never the password."""
        return f"ReadyAccount({self.name!r}, {self.role!r})"


class ReadyDevice(msgspec.Struct, frozen=True):
    """A device that is up. `id` and `local_key` are empty while it is not bound."""

    id: str
    uuid: str
    auth_key: str
    local_key: str
    ip: str
    mac: str
    version: str
    profile: str
    product_id: str
    state: str

    def __repr__(self) -> str:
        """Show which it is, never its keys."""
        return f"ReadyDevice({self.uuid!r})"


class Papers(msgspec.Struct, frozen=True):
    """What is in the file. `access_id`, `access_secret` and `schema` are of the first project.

    `pages` is where a browser can look on, "" if nowhere.
    """

    console: str
    open_api: str
    device_api: str
    iot_dns: str
    mqtt: str
    push: str
    ca_file: str
    access_id: str
    access_secret: str
    schema: str
    regions: tuple[ReadyRegion, ...]
    projects: tuple[ReadyKey, ...]
    accounts: tuple[ReadyAccount, ...]
    devices: tuple[ReadyDevice, ...]
    pages: str = ""
    pages_password: str = ""

    def __repr__(self) -> str:
        """Show where, never a secret."""
        return f"Papers({self.console!r}, {len(self.devices)} devices)"


def papers(
    ready: Ready,
    projects: Iterable[ReadyKey],
    accounts: Iterable[ReadyAccount],
    devices: Iterable[ReadyDevice] = (),
) -> Papers:
    """Return what there is to say of a cloud that is `ready`, and of who and what is in it."""
    keys = tuple(projects)
    first = keys[0] if keys else ReadyKey("", "", "", ())
    return Papers(
        console=ready.url,
        open_api=ready.url,
        device_api=ready.device_url + atop.PATH,
        iot_dns=ready.device_url + iot_dns.PATH,
        mqtt=ready.mqtt_url,
        push=ready.push_url,
        ca_file=ready.ca_file,
        access_id=first.access_id,
        access_secret=first.access_secret,
        schema=next(iter(first.schemas), ""),
        regions=tuple(ReadyRegion(c.code, c.name, *ready.of_region(c.code)) for c in CENTRES),
        projects=keys,
        accounts=tuple(accounts),
        devices=tuple(devices),
    )


def encode(told: Papers) -> bytes:
    """Return the content of the file, laid out for people."""
    return msgspec.json.format(msgspec.json.encode(told)) + b"\n"
