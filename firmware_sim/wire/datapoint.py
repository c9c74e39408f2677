"""Data points: the numbered values that a device reports and takes, and the schema behind them.

The schema travels as JSON text in the activation result. Sources: tuya/tuya-connect-kit-for-mqtt-
embedded-c, src/tuya_iot.c; the vendor's page "SmartDeviceModel.getDpSchema" (types, properties).
"""

from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Literal, TypeGuard

import msgspec

from firmware_sim.errors import Malformed, TooLarge
from firmware_sim.wire.structs import decode_json, encode_json

SIZE_MAX = 65536
ID_MAX = 255
_BITMAP_BITS_MAX = 32

PropertyType = Literal["bool", "value", "enum", "string", "bitmap"]
Value = bool | int | str
Limit = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]  # what firmware holds
PointId = Annotated[int, msgspec.Meta(ge=1, le=ID_MAX)]


class Property(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The range of a typed data point; which fields count depends on `type`."""

    type: PropertyType
    min: Limit | None = None
    max: Limit | None = None
    step: int | None = None
    scale: int | None = None
    range: tuple[str, ...] = ()
    maxlen: int | None = None


class DataPoint(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One entry of a schema.

    `mode` is rw (reported and settable), ro (reported only) or wr (settable only). A point of type
    "raw" carries bytes as base64 text and has no property.
    """

    id: PointId
    mode: Literal["rw", "ro", "wr"]
    type: Literal["obj", "raw"]
    property: Property | None = None
    code: str = ""


def encode_schema(points: Iterable[DataPoint]) -> str:
    """Return the schema text of an activation result."""
    return encode_json(tuple(points)).decode()


def decode_schema(text: str) -> tuple[DataPoint, ...]:
    """Return the data points in a schema text; raise Malformed or TooLarge."""
    data = text.encode()
    _check_size(data)
    points = decode_json(tuple[DataPoint, ...], data)
    for point in points:
        if (point.type == "raw") != (point.property is None):
            raise Malformed(f"data point {point.id}: obj needs a property and raw has none")
    return points


def encode_dps(values: Mapping[int, Value]) -> bytes:
    """Return the JSON object that maps ids (as text) to values."""
    return encode_json(values)


def decode_dps(data: bytes | msgspec.Raw) -> dict[int, Value]:
    """Return values by id from a JSON object; raise Malformed or TooLarge.

    No more than `ID_MAX` points can be in it; numbers are integers on the wire.
    """
    _check_size(bytes(data))
    return decode_json(dict[PointId, Value], data)


def check(point: DataPoint, value: Value) -> None:
    """Raise Malformed unless `value` is one that `point` can take."""
    if point.property is None:
        _check_raw(point, value)
    else:
        _CHECKS[point.property.type](point, point.property, value)


def _check_raw(point: DataPoint, value: Value) -> None:
    if not isinstance(value, str):
        raise _refusal(point, "base64 text")
    try:
        b64decode(value, validate=True)
    except ValueError:
        raise _refusal(point, "base64 text") from None


def _check_bool(point: DataPoint, _: Property, value: Value) -> None:
    if not isinstance(value, bool):
        raise _refusal(point, "true or false")


def _check_value(point: DataPoint, prop: Property, value: Value) -> None:
    if not _is_integer(value):
        raise _refusal(point, "an integer")
    if prop.min is not None and value < prop.min:
        raise _refusal(point, f"no less than {prop.min}")
    if prop.max is not None and value > prop.max:
        raise _refusal(point, f"no more than {prop.max}")
    if prop.step is not None and prop.step > 1 and (value - (prop.min or 0)) % prop.step:
        raise _refusal(point, f"steps of {prop.step}")


def _check_enum(point: DataPoint, prop: Property, value: Value) -> None:
    if not isinstance(value, str) or value not in prop.range:
        raise _refusal(point, " | ".join(prop.range))


def _check_string(point: DataPoint, prop: Property, value: Value) -> None:
    if not isinstance(value, str):
        raise _refusal(point, "text")
    if prop.maxlen is not None and len(value.encode()) > prop.maxlen:
        raise _refusal(point, f"at most {prop.maxlen} bytes")


def _check_bitmap(point: DataPoint, prop: Property, value: Value) -> None:
    bits = min(_BITMAP_BITS_MAX, _BITMAP_BITS_MAX if prop.maxlen is None else prop.maxlen)
    if not _is_integer(value) or value < 0 or value.bit_length() > bits:
        raise _refusal(point, f"an integer of {bits} bits")


_CHECKS: dict[PropertyType, Callable[[DataPoint, Property, Value], None]] = {
    "bool": _check_bool,
    "value": _check_value,
    "enum": _check_enum,
    "string": _check_string,
    "bitmap": _check_bitmap,
}


def _is_integer(value: Value) -> TypeGuard[int]:
    """Tell integers from booleans, which are integers to Python but not on the wire."""
    return isinstance(value, int) and not isinstance(value, bool)


def _refusal(point: DataPoint, allowed: str) -> Malformed:
    """Return the error that names the data point and what it takes, not what was sent."""
    return Malformed(f"data point {point.id} takes {allowed}")


def _check_size(data: bytes) -> None:
    if len(data) > SIZE_MAX:
        raise TooLarge(f"data points of {len(data)} bytes; the limit is {SIZE_MAX}")
