"""What the cloud says in its answers to devices and people, held against what its disk has.

Whatever is said of devices, tokens, quotas, logins and operations must be written by then, so that no
crash takes it back. What is said may be older than what is written, never newer.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from firmware_sim.errors import PeerError
from firmware_sim.wire import atop, atop_messages, atop_old
from firmware_sim.wire.provisioning import parse_token
from fleet.app import messages
from fleet.cloud.devices import Device
from fleet.cloud.history import HistoryRow
from fleet.cloud.keys import session_hash
from fleet.cloud.messages import HttpRequested
from fleet.cloud.quotas import QuotaLimit, QuotaUse
from fleet.cloud.sessions import Session
from fleet.cloud.tokens import PairToken, UnbindToken
from fleet.cloud.users import User
from fleet.run.checks.keyring import Standing
from fleet.run.checks.scene import Scene

ACTIVATIONS = (
    atop_messages.ACTIVE.name,
    atop_messages.OPENSDK_ACTIVE.name,
    atop_old.ACTIVE.name,
)
Claims = Iterator[tuple[str, str]]  # of whom, what was said that is not written


class _Reply(msgspec.Struct, frozen=True):
    success: bool
    result: msgspec.Raw = msgspec.Raw(b"null")


class _Granted(msgspec.Struct, frozen=True, rename="camel"):
    """What matters of an activation."""

    dev_id: str
    sec_key: str


class Said:
    """Reads answers. `claims` yields what one says that is not on the disk."""

    def __init__(self, scene: Scene) -> None:
        """Follow all that answers speak of."""
        books = scene.books
        self._keys = scene.keys
        self._rows = books.keep(HistoryRow)
        self._uses = books.keep(QuotaUse)
        self._limits = books.keep(QuotaLimit)
        self._sessions = books.keep(Session)
        self._users = books.keep(User)
        self._pair_tokens = books.keep(PairToken)
        self._unbind_tokens = books.keep(UnbindToken)
        self._owners: dict[str, dict[str, None]] = {}  # by uuid, all there ever were
        books.look(Device, self._changed)
        self._readers: Mapping[tuple[str, str], _Reader] = {
            ("POST", "/console/v1/login"): _Reader(messages.LoggedIn, self._logged_in),
            ("POST", "/app/v1/login"): _Reader(messages.LoggedIn, self._logged_in),
            ("POST", "/app/v1/register"): _Reader(messages.Registered, self._registered),
            ("POST", "/app/v1/pair-tokens"): _Reader(messages.PairToken, self._pair_token),
            ("POST", "/console/v1/unbind-tokens"): _Reader(
                messages.UnbindToken, self._unbind_token
            ),
            ("POST", "/console/v1/tickets"): _Reader(messages.Ticket, self._ticket),
            ("GET", "/console/v1/quotas"): _Reader(messages.Quotas, self._quotas),
            ("GET", "/console/v1/history"): _Reader(messages.HistoryPage, self._history),
            ("GET", "/app/v1/devices"): _Reader(tuple[messages.OwnedDevice, ...], self._devices),
        }

    def _changed(self, _: Device | None, after: Device | None) -> None:
        if after is not None:
            self._owners.setdefault(after.uuid, {})[after.owner] = None

    def claims(self, request: HttpRequested, body: bytes) -> Claims:
        """Read one answer."""
        path = request.target.partition("?")[0]
        if path in (atop.PATH, atop.OLD_PATH):
            yield from self._activated(request, body)
            return
        reader = self._readers.get((request.method, path))
        if reader is None:
            return
        reply = msgspec.json.decode(body, type=_Reply)
        if reply.success:
            yield from reader.read(
                self._asker(request), msgspec.json.decode(reply.result, type=reader.kind)
            )

    def _asker(self, request: HttpRequested) -> str:
        token = request.authorization.removeprefix("Bearer ")
        session = self._sessions.get(session_hash(token))
        return session.subject if session is not None else ""

    # --- devices --------------------------------------------------------------------------------

    def _activated(self, request: HttpRequested, body: bytes) -> Claims:
        try:
            query = atop.decode_query(request.target)
            device = self._keys.devices.get(query.uuid or "")
            if device is None or query.a not in ACTIVATIONS:
                return
            inner = atop.decode_inner(atop.decode_reply(body, device.auth_key, query.et))
        except PeerError:
            return
        if inner.success:
            granted = msgspec.json.decode(inner.result, type=_Granted)
            known = self._keys.standing(device, granted.sec_key) is not Standing.UNKNOWN
            if granted.dev_id != device.dev_id or not known:
                yield device.uuid, "was granted keys that are not written"

    # --- people ---------------------------------------------------------------------------------

    def _logged_in(self, _: str, told: messages.LoggedIn) -> Claims:
        if session_hash(told.session) not in self._sessions:
            yield "somebody", "was told of a login that is not written"

    def _registered(self, _: str, told: messages.Registered) -> Claims:
        if told.uid not in self._users:
            yield told.uid, "was told of a registration that is not written"

    def _pair_token(self, asker: str, told: messages.PairToken) -> Claims:
        if parse_token(told.token).token not in self._pair_tokens:
            yield asker, "was told of a pairing token that is not written"

    def _unbind_token(self, asker: str, told: messages.UnbindToken) -> Claims:
        if parse_token(told.token).token not in self._unbind_tokens:
            yield asker, f"was told of batch {told.batch}, which is not written"

    def _ticket(self, asker: str, told: messages.Ticket) -> Claims:
        if (told.scope, told.name) not in self._limits:
            yield asker, f"was told of a limit for {told.name} that is not written"

    def _quotas(self, asker: str, told: messages.Quotas) -> Claims:
        shown = {("account", asker, told.day): told.account.used}
        shown |= {("product", one.product_id, told.day): one.used for one in told.products}
        for key, used in shown.items():
            use = self._uses.get(key)
            if used > (use.used if use is not None else 0):
                yield (
                    asker,
                    f"was told that {used} of the quota of {key[1]} are used, which is not written",
                )

    def _history(self, asker: str, told: messages.HistoryPage) -> Claims:
        for row in told.rows:
            written = self._rows.get(row.id)
            if written is None or written.uuid != row.uuid or written.tries < row.tries:
                yield asker, f"was told of row {row.id}, which is not written so"

    def _devices(self, asker: str, told: tuple[messages.OwnedDevice, ...]) -> Claims:
        for device in told:
            if asker not in self._owners.get(device.uuid, ()):
                yield asker, f"was told to have {device.uuid}, which is not written"


class _Reader(NamedTuple):
    kind: Any
    read: Callable[[str, Any], Claims]
