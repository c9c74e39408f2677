"""What the cloud answers and keeps, in words: codes, names of records, and no contents."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from firmware_sim.errors import PeerError
from firmware_sim.wire import atop, iot_dns
from fleet.cloud.devices import Device
from fleet.cloud.history import HistoryRow, LogRow
from fleet.cloud.messages import HttpRequested, SendReply
from fleet.cloud.quotas import QuotaUse
from fleet.cloud.sessions import Session
from fleet.cloud.store.records import Change, Put, Record
from fleet.cloud.tokens import PairToken, UnbindToken


class _Envelope(msgspec.Struct, frozen=True):
    success: bool
    code: str | int = ""


class _Named(msgspec.Struct, frozen=True):
    name: str = ""


# --- answers ------------------------------------------------------------------------------------


def answer(request: HttpRequested, reply: SendReply, key: str) -> str:
    """Return how a request was answered; `key` opens the answer to a device's call."""
    return f"{_outcome(request, reply.body, key)}, {len(reply.body)} B"


def _outcome(request: HttpRequested, body: bytes, key: str) -> str:
    path = request.target.partition("?")[0]
    try:
        if path in (atop.PATH, atop.OLD_PATH):
            query = atop.decode_query(request.target)
            inner = atop.decode_inner(atop.decode_reply(body, key, query.et))
            return "success" if inner.success else f"refused, {inner.error_code}"
        if path == iot_dns.PATH:
            return f"the servers are at {iot_dns.decode_reply(body).mqtt_address}"
        told = msgspec.json.decode(body, type=_Envelope)
    except (PeerError, msgspec.DecodeError):
        return "answered"
    return "success" if told.success else f"refused, {told.code}"


def name_given(body: bytes) -> str:
    """Return the name in the body of somebody who registers or logs in, or ""."""
    try:
        return msgspec.json.decode(body, type=_Named).name
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


# --- what is kept -------------------------------------------------------------------------------


def _history(row: HistoryRow) -> str:
    reason = f" ({row.reason})" if row.reason else ""
    return f"history: {row.operation} {row.status}{reason}"


def _device(device: Device) -> str:
    if device.pending_reset:
        return f"device: no owner, to be told: {device.pending_reset}"
    return "device: bound" if device.owner else "device: no owner"


def _unbind_token(token: UnbindToken) -> str:
    return f"batch {token.batch}: {token.used} of {token.devices_max} devices"


def _pair_token(token: PairToken) -> str:
    return "pairing token: " + ("spent" if token.spent_by else "good for one device")


_RECORDS: Mapping[type[Record], Callable[[Any], str]] = {
    HistoryRow: _history,
    LogRow: lambda row: f"device log: {row.event}",
    QuotaUse: lambda use: f"quota of {use.scope} {use.name}: {use.used} used",
    Device: _device,
    UnbindToken: _unbind_token,
    PairToken: _pair_token,
    Session: lambda session: f"session of the {session.kind}",
}


def kept(changes: Iterable[Change]) -> list[str]:
    """Return what a commit changes, each kind of change once."""
    return list(dict.fromkeys(_change(change) for change in changes))


def batch(changes: Iterable[Change]) -> str:
    """Return the batch of unbindings that a commit is about, or ""."""
    records = (change.record for change in changes if isinstance(change, Put))
    told = (each.batch for each in records if isinstance(each, UnbindToken | HistoryRow))
    return next(filter(None, told), "")


def _change(change: Change) -> str:
    if isinstance(change, Put):
        say = _RECORDS.get(type(change.record))
        return say(change.record) if say else change.record.TABLE.replace("_", " ")
    return f"{change.kind.TABLE.replace('_', ' ')}: one less"
