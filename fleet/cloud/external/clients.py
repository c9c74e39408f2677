"""Who an external broker has to let in, and what each may do: the registry, seen by a broker.

A device is a client under its device id, and until it is activated under `acon_<uuid>`
(`fleet.cloud.directory`); a user's program is one too (`fleet.cloud.app_links`). Guests are the
broker's own business.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import ClassVar

from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.structs import Secretive
from fleet.cloud.app_links import CLIENT, AppLink, AppLinks
from fleet.cloud.devices import ACTIVATION_CLIENT, Device, Devices
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Change, Put

_DIGEST_SIZE = 16
_PLAIN = re.compile(r"[0-9A-Za-z_.-]{1,64}")


class Client(Secretive, frozen=True):
    """What the broker should know of a client, whose user name is `username`.

    It `hears` and `sends` to these topics only. One that is not `enabled` is to be refused, as is
    one that the broker does not know. An `optional` one need not be made known, but may stay.
    """

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    client_id: str
    username: str
    password: str
    hears: tuple[str, ...]
    sends: tuple[str, ...] = ()
    enabled: bool = True
    optional: bool = False

    @property
    def fingerprint(self) -> str:
        """Return a text that changes with the password and does not tell it."""
        return hashlib.sha256(self.password.encode()).hexdigest()[:_DIGEST_SIZE]


class Clients:
    """All of them, as they should be now."""

    def __init__(self, devices: Devices, app_links: AppLinks, settings: Settings) -> None:
        """Look clients up in the registry."""
        self._devices = devices
        self._app_links = app_links
        self._settings = settings

    def get(self, client_id: str) -> Client | None:
        """Return what the broker should know of a client; None for one that we do not know."""
        if _PLAIN.fullmatch(client_id) is None:
            return None  # no name for a role, or for a level of a topic
        if client_id.startswith(ACTIVATION_CLIENT):
            device = self._devices.get(client_id.removeprefix(ACTIVATION_CLIENT))
            return self._waiting(device) if device is not None else None
        if client_id.startswith(CLIENT):
            link = self._app_links.by_client(client_id)
            return _program(link) if link is not None else None
        device = self._devices.by_dev_id(client_id)
        return _activated(device) if device is not None else None

    def names(self) -> Iterator[str]:
        """Go through the client ids of all devices, those first that are activated."""
        devices = self._devices.all()
        yield from (device.dev_id for device in devices if device.dev_id)
        yield from (ACTIVATION_CLIENT + device.uuid for device in devices)

    def _waiting(self, device: Device) -> Client:
        client_id = ACTIVATION_CLIENT + device.uuid
        needed = self._settings.broker_waiting_clients and not device.live and not device.gateway
        return Client(
            client_id=client_id,
            username=client_id,
            password=mqtt_payload.mqtt_password(device.auth_key),
            hears=(mqtt_payload.topic_activation(device.uuid),),
            optional=not needed,
        )


def changed_names(changes: Iterable[Change]) -> Iterator[str]:
    """Go through the client ids of the devices that a step changed."""
    for change in changes:
        if isinstance(change, Put) and isinstance(change.record, Device):
            if change.record.dev_id:
                yield change.record.dev_id
            yield ACTIVATION_CLIENT + change.record.uuid


def _activated(device: Device) -> Client:
    dev_id = device.dev_id
    return Client(
        client_id=dev_id,
        username=dev_id,
        password=mqtt_payload.mqtt_password(device.sec_key),
        hears=(
            mqtt_payload.topic_in(dev_id),
            mqtt_payload.topic_rpc_response(dev_id),
            mqtt_payload.topic_rpc_file(dev_id),
        ),
        sends=(mqtt_payload.topic_out(dev_id), mqtt_payload.topic_rpc_request(dev_id)),
        enabled=device.live,
        optional=bool(device.gateway),  # what is behind a gateway does not connect itself
    )


def _program(link: AppLink) -> Client:
    return Client(
        client_id=link.client_id,
        username=link.username,
        password=link.password,
        hears=(link.topic,),
    )
