"""The consumer app's API: register, pair a device, list and remove one's devices.

Paths and fields are ours. Removing comes in the vendor's two kinds (page "Device Reset",
developer.tuya.com): "remove", and "remove and wipe data".
"""

from typing import ClassVar, Literal

import msgspec

from firmware_sim.wire.provisioning import parse_token
from firmware_sim.wire.structs import Secretive
from fleet.cloud import push
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.api.envelope import MESSAGES
from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.api.shapes import Name, Password
from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.removal import remove
from fleet.cloud.sessions import APP
from fleet.cloud.state import State


class Credentials(Secretive, frozen=True):
    """Name and password of a consumer."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    name: Name
    password: Password


class Registered(msgspec.Struct, frozen=True):
    """A new consumer."""

    uid: str


class LoggedIn(Secretive, frozen=True):
    """A bearer session."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"session"})

    session: str
    uid: str


class PairTicket(Secretive, frozen=True):
    """A pairing token: its 14 characters, and how long it lives."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"token"})

    token: str
    expires_ms: int


class PairedDevice(msgspec.Struct, frozen=True):
    """A device that a pairing token bound."""

    uuid: str
    dev_id: str
    product_id: str
    name: str


class FailedDevice(msgspec.Struct, frozen=True):
    """A device that tried a pairing token in vain, and why."""

    uuid: str
    code: str
    msg: str


class PairResult(msgspec.Struct, frozen=True):
    """What came of a pairing token so far."""

    success: list[PairedDevice]
    failed: list[FailedDevice]


class OwnDevice(msgspec.Struct, frozen=True):
    """A device as its owner sees it."""

    dev_id: str
    uuid: str
    product_id: str
    name: str
    online: bool


class RemoveQuery(msgspec.Struct, frozen=True):
    """`wipe=1` erases the user's data as well."""

    wipe: Literal["0", "1"] = "0"


class AppApi:
    """Handlers of the consumer app."""

    def __init__(self, link: DeviceLink) -> None:
        """Ask `link` who is online, and let it tell devices that they were removed."""
        self._link = link

    def routes(self) -> tuple[Route, ...]:
        """Return the table of this API."""
        return (
            Route("POST", "/app/v1/register", Access.ANYBODY, register),
            Route("POST", "/app/v1/login", Access.ANYBODY, log_in),
            Route("POST", "/app/v1/pair-tokens", Access.CONSUMER, make_pair_token),
            Route("GET", "/app/v1/pair-tokens/{token}", Access.CONSUMER, see_pair_token),
            Route("GET", "/app/v1/devices", Access.CONSUMER, self.see_devices),
            Route("DELETE", "/app/v1/devices/{dev_id}", Access.CONSUMER, self.remove_device),
        )

    def see_devices(self, state: State, call: Call) -> list[OwnDevice]:
        """Show the caller's devices."""
        return [
            OwnDevice(
                device.dev_id,
                device.uuid,
                device.product_id,
                device.name,
                self._link.online(device),
            )
            for device in state.devices.owned_by(call.subject)
        ]

    def remove_device(self, state: State, call: Call) -> bool:
        """Take a device out of the caller's hands and tell it to reset itself."""
        wipe = call.query_as(RemoveQuery).wipe == "1"
        kind = ResetKind.RESET_FACTORY if wipe else ResetKind.RESET
        known = state.devices.by_dev_id(call.path["dev_id"])
        reachable = known is not None and self._link.reachable(known)
        dev_id = call.path["dev_id"]
        removed = remove(state, call.subject, dev_id, kind, call.now_ms, reachable=reachable)
        if reachable:
            self._link.tell_reset(removed, call.now_ms)
        return True


def register(state: State, call: Call) -> Registered:
    """Add a consumer."""
    form = call.body_as(Credentials)
    user = state.users.register(form.name, form.password, now_ms=call.now_ms)
    state.journal.effects.append(push.user_registered(user.uid, user.schema, call.now_ms))
    return Registered(user.uid)


def log_in(state: State, call: Call) -> LoggedIn:
    """Open a session of a consumer."""
    form = call.body_as(Credentials)
    user = state.brake.watch(
        f"consumer {form.name}",
        call.now_ms,
        lambda: state.users.log_in(form.name, form.password),
    )
    return LoggedIn(state.sessions.open(APP, user.uid, call.now_ms), user.uid)


def make_pair_token(state: State, call: Call) -> PairTicket:
    """Make a token that binds one device to the caller."""
    token = state.tokens.make_pair_token(call.subject, call.now_ms)
    return PairTicket(token.text, token.expires_ms)


def see_pair_token(state: State, call: Call) -> PairResult:
    """Show which device a token bound, and which ones it could not."""
    token = state.tokens.pair_token(parse_token(call.path["token"]).token)
    if token is None or token.uid != call.subject or token.text != call.path["token"]:
        raise Refused(Reason.NOT_FOUND, "you made no such token")
    device = state.devices.get(token.spent_by)
    return PairResult(
        [_paired(device)] if device is not None else [],
        [FailedDevice(one.uuid, one.reason, MESSAGES[Reason(one.reason)]) for one in token.failed],
    )


def _paired(device: Device) -> PairedDevice:
    return PairedDevice(device.uuid, device.dev_id, device.product_id, device.name)
