"""Console and consumer API: JSON bodies of the simulated cloud <-> typed structs.

A core: bytes in, structs out, no sockets and no clock. Every reply is the coded envelope
`{"success": true, "result": ..., "t": ms}` or `{"success": false, "code": ..., "msg": ..., "t": ms}`
that the vendor's cloud APIs use as well. The console API itself is this project's own: no public
wire form of the vendor's developer app exists.
"""

from typing import Literal, TypeVar

import msgspec

from firmware_sim.errors import Malformed
from fleet.app.errors import CloudRefused

Method = Literal["qr", "wired"]
T = TypeVar("T")


# --- both apps ----------------------------------------------------------------------------------


class Credentials(msgspec.Struct, frozen=True):
    """Body of both logins and of the consumer's registration."""

    name: str
    password: str

    def __repr__(self) -> str:
        """Show who, never the password."""
        return f"Credentials(name={self.name!r}, password=***)"


class LoggedIn(msgspec.Struct, frozen=True):
    """The reply to a login; `session` is the bearer token of the calls that follow."""

    session: str

    def __repr__(self) -> str:
        """Show nothing: whoever has the bearer token is that person."""
        return "LoggedIn(session=***)"


# --- Developer app ------------------------------------------------------------------------------


class UnbindOrder(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to ask for: a token that unbinds up to `max_devices` devices within `life_s`.

    None leaves the choice to the cloud.
    """

    method: Method
    max_devices: int | None = None
    life_s: int | None = None


class UnbindToken(msgspec.Struct, frozen=True):
    """An unbinding token: 14 characters, what it is good for and how much of it is used up."""

    token: str
    batch: str
    method: str
    max_devices: int
    expires_ms: int
    used: int = 0
    cancelled: bool = False

    def alive(self, now_ms: int) -> bool:
        """Return whether a device that comes now may still be released by it."""
        return not self.cancelled and now_ms < self.expires_ms and self.used < self.max_devices

    def __repr__(self) -> str:
        """Show the batch, never the token: whoever has it can unbind devices."""
        return f"UnbindToken(batch={self.batch!r}, used={self.used}/{self.max_devices})"


class HistoryRow(msgspec.Struct, frozen=True):
    """One line of the operation history: what was tried with which device, and how it ended.

    `operation` is `unbind`, `bind` or `remove`; `status` is `ok` or `refused`, the latter with a
    `reason` such as `token_full` or `account_quota`. The same refusal of the same device by the
    same token is one row with a number of `tries`. `day` (ISO) is the quota day it counts for.
    """

    id: int
    time_ms: int
    operation: str
    status: str
    account: str = ""
    method: str = ""
    batch: str = ""
    uuid: str = ""
    dev_id: str = ""
    product_id: str = ""
    reason: str = ""
    tries: int = 1
    day: str = ""


class HistoryPage(msgspec.Struct, frozen=True):
    """Rows in order of `id`; `next` continues after them, None on the last page."""

    rows: tuple[HistoryRow, ...]
    next: int | None = None


class Quota(msgspec.Struct, frozen=True):
    """How many devices were unbound on one day, and how many may be."""

    used: int
    limit: int


class ProductQuota(msgspec.Struct, frozen=True):
    """The quota of one product on one day."""

    product_id: str
    used: int
    limit: int


class Quotas(msgspec.Struct, frozen=True):
    """All quotas that bind the caller on `day` (YYYY-MM-DD)."""

    day: str
    account: Quota
    products: tuple[ProductQuota, ...]


class Ticket(msgspec.Struct, frozen=True):
    """Names a new daily limit for an account or a product, as a support ticket would."""

    scope: Literal["account", "product"]
    name: str
    limit: int


class Product(msgspec.Struct, frozen=True):
    """A product that the caller can see, and by which right."""

    product_id: str
    name: str
    category: str
    binding: str
    right: str


class LogRow(msgspec.Struct, frozen=True):
    """One happening in the life of one device, as the cloud saw it."""

    id: int
    time_ms: int
    event: str
    detail: str = ""


class LogPage(msgspec.Struct, frozen=True):
    """Rows in order of `id`; `next` continues after them, None on the last page."""

    rows: tuple[LogRow, ...]
    next: int | None = None


# --- consumer app -------------------------------------------------------------------------------


class Registered(msgspec.Struct, frozen=True):
    """A new end user's id."""

    uid: str


class PairToken(msgspec.Struct, frozen=True):
    """A pairing token of 14 characters and the instant it dies."""

    token: str
    expires_ms: int

    def __repr__(self) -> str:
        """Show the end of its life, never the token."""
        return f"PairToken(expires_ms={self.expires_ms}, token=***)"


class PairedDevice(msgspec.Struct, frozen=True):
    """A device that was bound by a pairing token."""

    uuid: str
    dev_id: str
    product_id: str = ""
    name: str = ""


class PairFailure(msgspec.Struct, frozen=True):
    """A device that came with a pairing token and was sent away."""

    uuid: str
    code: str
    msg: str = ""


class PairResult(msgspec.Struct, frozen=True):
    """What became of a pairing token so far."""

    success: tuple[PairedDevice, ...] = ()
    failed: tuple[PairFailure, ...] = ()


class OwnedDevice(msgspec.Struct, frozen=True):
    """A device in the end user's home."""

    dev_id: str
    uuid: str
    product_id: str
    name: str = ""
    online: bool = False


# --- envelope -----------------------------------------------------------------------------------


class _Envelope(msgspec.Struct, frozen=True):
    success: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    code: str = ""
    msg: str = ""


def read_reply(body: bytes, kind: type[T]) -> T:
    """Return the envelope's result as `kind`.

    Raises `CloudRefused` when the cloud says no and `Malformed` when the bytes are not the
    envelope, or its result is not a `kind`.
    """
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
        if envelope.success:
            return msgspec.json.decode(envelope.result, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"reply of the cloud: {error}") from None
    raise CloudRefused(envelope.code or "unknown", envelope.msg)
