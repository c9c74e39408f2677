"""Device logs as the Open API pages them: events 1 to 10, the latest first.

Our two logs, of what happened to a device and of its data points, are shown as one. A row of
theirs has no page of its own: its key is made of time and id, so that it sorts and stays. Two ways
of paging are served, as the vendor has them: the free one begins a page at `start_row_key`, the
paid one goes on after `last_row_key`. Sources: "Query device log", "Get Operation Log", "Get Device
Event Log", "Get Status Reporting Log" (developer.tuya.com); tuya/tuya-cloud-sdk-go
(api/device/get_device_logs.go); jasonacox/tinytuya (`tinytuya/Cloud.py`, and issue 214 for an
answer of the real service, whose clients may give times in seconds).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from firmware_sim.wire.structs import decode_json
from fleet.cloud.data_points import Values
from fleet.cloud.devices import Device
from fleet.cloud.dp_log import DpEvent
from fleet.cloud.history import DeviceEvent
from fleet.cloud.open import asked
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.rights import Action
from fleet.cloud.standard import codes_of

ROWS_DEFAULT = 20
ROWS_MAX = 100
EVENT_IDS = range(1, 11)
PAID = 2

_STATUS = "1"
_SECONDS_MAX = 10**11  # beyond this a time is one in ms

BY_DEVICE, BY_CLIENT, BY_CLOUD = "1", "2", "4"


class Kind(NamedTuple):
    """What an event of ours is to the Open API: its number, and who caused it."""

    event_id: int
    event_from: str


# Events that are missing here are ours alone: how a device learned of its reset, and whose it
# was before a takeover. Two numbers never come: signal strength (8), because no public firmware
# says how a device reports it, and timers (10), because nobody can set one in this cloud.
EVENTS: Mapping[str, Kind] = {
    DeviceEvent.ONLINE.value: Kind(1, BY_DEVICE),
    DeviceEvent.OFFLINE.value: Kind(2, BY_DEVICE),
    DeviceEvent.BOUND.value: Kind(3, BY_DEVICE),
    DeviceEvent.LOCAL_RESET.value: Kind(4, BY_DEVICE),
    DeviceEvent.REMOVED.value: Kind(4, BY_CLIENT),
    DeviceEvent.DELETED.value: Kind(4, BY_CLOUD),
    DeviceEvent.UPGRADED.value: Kind(6, BY_DEVICE),
    DeviceEvent.RESTARTED.value: Kind(9, BY_DEVICE),
}
POINT_EVENTS: Mapping[str, Kind] = {
    DpEvent.COMMAND.value: Kind(5, BY_CLOUD),
    DpEvent.REPORT.value: Kind(7, BY_DEVICE),
}


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line of a log; `event_time` in ms, `value` as text, `row` only where pages go by it."""

    code: str
    value: str
    event_time: int
    event_from: str
    event_id: int
    status: str
    row: str | msgspec.UnsetType = msgspec.UNSET


class Report(msgspec.Struct, frozen=True, gc=False):
    """One value that a device reported; `event_time` in ms."""

    code: str
    value: str
    event_time: int


class LogPage(msgspec.Struct, frozen=True):
    """Some lines; the free edition has `next_row_key` while there are more, the paid one counts."""

    logs: list[Entry]
    device_id: str
    has_next: bool
    current_row_key: str
    next_row_key: str | msgspec.UnsetType = msgspec.UNSET
    count: int | msgspec.UnsetType = msgspec.UNSET


class IndustryLogPage(msgspec.Struct, frozen=True):
    """Some lines; go on after `last_row_key`."""

    logs: list[Entry]
    device_id: str
    has_next: bool
    last_row_key: str
    count: int


class ReportPage(msgspec.Struct, frozen=True):
    """Some reported values; go on after `last_row_key`."""

    logs: list[Report]
    device_id: str
    has_more: bool
    last_row_key: str
    total: int


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when (ms, or seconds), which codes (none: all), and how many lines."""

    start_time: int
    end_time: int
    codes: str = ""
    size: Annotated[int, Meta(ge=1)] = ROWS_DEFAULT


class LogQuery(Span, frozen=True, kw_only=True):
    """Which lines, of which numbers, in which way of paging."""

    type: str
    query_type: Annotated[int, Meta(ge=1, le=2)] = 1
    start_row_key: str = ""
    last_row_key: str = ""


class IndustryLogQuery(Span, frozen=True, kw_only=True):
    """Which lines, of which numbers, and after which key."""

    event_types: str
    last_row_key: str = ""


class ReportQuery(Span, frozen=True, kw_only=True):
    """Which reported values, and after which key."""

    codes: str
    last_row_key: str = ""


class _Line(NamedTuple):
    key: str
    entry: Entry


def see_log(call: OpenCall) -> LogPage:
    """Show the log of a device."""
    query = call.query_as(LogQuery)
    event_ids, device = _event_ids(query.type), asked.device(call, Action.SEE_LOG)
    found = _lines(call, device, query, event_ids)
    paid = query.query_type == PAID
    if paid:
        rest = _after(found, query.last_row_key)
    else:
        rest = [one for one in found if not query.start_row_key or one.key <= query.start_row_key]
    shown = rest[: min(query.size, ROWS_MAX)]
    more = rest[len(shown) :]
    return LogPage(
        logs=[msgspec.structs.replace(e, row=key) if paid else e for key, e in shown],
        device_id=device.dev_id,
        has_next=bool(more),
        current_row_key=shown[0].key if shown else "",
        next_row_key=more[0].key if more and not paid else msgspec.UNSET,
        count=len(found) if paid else msgspec.UNSET,
    )


def see_core_log(call: OpenCall) -> LogPage:
    """Show the same as version 2.0 does, which wants size and way of paging named.

    Named only: a value may be missing, as on the vendor's page.
    """
    if not {"size", "query_type"} <= call.query.keys():
        raise OpenRefused(Code.PARAM_EMPTY)
    return see_log(call)


def see_industry_log(call: OpenCall) -> IndustryLogPage:
    """Show the same as the industry family does."""
    query = call.query_as(IndustryLogQuery)
    event_ids, device = _event_ids(query.event_types), asked.device(call, Action.SEE_LOG)
    found = _lines(call, device, query, event_ids)
    rest = _after(found, query.last_row_key)
    shown = rest[: min(query.size, ROWS_MAX)]
    return IndustryLogPage(
        [line.entry for line in shown],
        device.dev_id,
        len(rest) > len(shown),
        shown[-1].key if shown else "",
        len(found),
    )


def see_reports(call: OpenCall) -> ReportPage:
    """Show what a device reported."""
    query, device = call.query_as(ReportQuery), asked.device(call, Action.SEE_LOG)
    found = _lines(call, device, query, frozenset({POINT_EVENTS[DpEvent.REPORT].event_id}))
    rest = _after(found, query.last_row_key)
    shown = rest[: min(query.size, ROWS_MAX)]
    return ReportPage(
        [Report(one.entry.code, one.entry.value, one.entry.event_time) for one in shown],
        device.dev_id,
        len(rest) > len(shown),
        shown[-1].key if shown else "",
        len(found),
    )


# --- details ------------------------------------------------------------------------------------


def _lines(call: OpenCall, device: Device, span: Span, event_ids: frozenset[int]) -> list[_Line]:
    """Return the lines of a device that are asked for, the latest first."""
    first_ms, last_ms = _ms(span.start_time), _ms(span.end_time)
    codes = frozenset(code for code in span.codes.split(",") if code)
    lines = [*_happenings(call, device), *_points(call, device)]
    chosen = [
        line
        for line in lines
        if line.entry.event_id in event_ids
        and first_ms <= line.entry.event_time <= last_ms
        and (not codes or line.entry.code in codes)
    ]
    return sorted(chosen, key=lambda line: line.key, reverse=True)


def _happenings(call: OpenCall, device: Device) -> Iterator[_Line]:
    unbinding = Kind(call.state.settings.open_unbind_event_id, BY_CLOUD)
    kinds = {**EVENTS, DeviceEvent.UNBOUND.value: unbinding}
    for row in call.state.device_log.of(device.uuid):
        kind = kinds.get(row.event)
        if kind is not None:
            yield _Line(_key(row.time_ms, 0, row.id, 0), _entry("", "", row.time_ms, kind))


def _points(call: OpenCall, device: Device) -> Iterator[_Line]:
    product = asked.product(call, device)
    codes = codes_of(product.schema) if product is not None else {}
    for row in call.state.data_points.log.of(device.dev_id):
        kind = POINT_EVENTS[row.event]
        for index, (dp_id, value) in enumerate(decode_json(Values, row.dps.encode()).items()):
            if dp_id in codes:
                text = _text(value)
                entry = _entry(codes[dp_id], text, row.time_ms, kind)
                yield _Line(_key(row.time_ms, 1, row.id, index), entry)


def _entry(code: str, value: str, time_ms: int, kind: Kind) -> Entry:
    return Entry(code, value, time_ms, kind.event_from, kind.event_id, _STATUS)


def _after(lines: list[_Line], key: str) -> list[_Line]:
    return [line for line in lines if not key or line.key < key]


def _key(time_ms: int, log: int, row_id: int, index: int) -> str:
    """Return a text that sorts like the line: time, which log, row, place in the row."""
    return f"{time_ms:012x}{log:x}{row_id:012x}{index:03x}"


def _event_ids(text: str) -> frozenset[int]:
    wanted = [one.strip() for one in text.split(",") if one.strip()]
    if not wanted:
        raise OpenRefused(Code.PARAM_EMPTY)
    known = {str(number): number for number in EVENT_IDS}
    if not known.keys() >= set(wanted):
        raise OpenRefused(Code.PARAM_ILLEGAL)
    return frozenset(known[one] for one in wanted)


def _ms(time: int) -> int:
    return time if time > _SECONDS_MAX else time * 1000


def _text(value: msgspec.Raw) -> str:
    """Return a JSON value as text: a string as it is, anything else as its JSON."""
    json = bytes(value)
    return decode_json(str, json) if json.startswith(b'"') else json.decode()


ROUTES = tuple(
    Route(method, pattern, handler, Family.LOGS)
    for method, pattern, handler in (
        ("GET", "/v1.0/devices/{device_id}/logs", see_log),
        ("GET", "/v2.0/cloud/thing/{device_id}/logs", see_core_log),
        ("GET", "/v1.0/iot-03/devices/{device_id}/logs", see_industry_log),
        ("GET", "/v1.0/iot-03/devices/{device_id}/report-logs", see_reports),
        ("GET", "/v2.0/cloud/thing/{device_id}/report-logs", see_reports),
    )
)
