"""Instruction and status sets in the Open API's words, and values between codes and data points.

`values` is JSON in a text, and a type has a name of its own ("Boolean" for bool). Shapes are those
of tuya/tuya-cloud-sdk-go (api/device/get_device_specifications.go) and of answers quoted in
Xenomes/Domoticz-TinyTUYA-Plugin 14 and rospogrigio/localtuya 1052; the thing model is described
in "Query Things Data Model" (developer.tuya.com).
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from firmware_sim.errors import PeerError
from firmware_sim.wire import datapoint
from firmware_sim.wire.datapoint import DataPoint, Value
from firmware_sim.wire.structs import encode_json
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.products import Product
from fleet.cloud.standard import StandardPoint, StandardSet, standard_set
from fleet.cloud.state import State

_FUNCTIONS_CACHED = 8_192

_TYPES: Mapping[str, str] = {
    "bool": "Boolean",
    "value": "Integer",
    "enum": "Enum",
    "string": "String",
    "bitmap": "Bitmap",
}
_RAW = "Raw"
_LIMITS: Mapping[str, tuple[str, ...]] = {
    "bool": (),
    "value": ("min", "max", "scale", "step"),
    "enum": ("range",),
    "string": ("maxlen",),
    "bitmap": ("maxlen",),
}


class Function(msgspec.Struct, frozen=True, gc=False):
    """One instruction, or one status that a device reports: a status has no `desc`."""

    code: str
    type: str
    values: str
    name: str
    desc: str | msgspec.UnsetType = msgspec.UNSET
    dp_id: int | msgspec.UnsetType = msgspec.UNSET


class Functions(msgspec.Struct, frozen=True):
    """The instruction set of a device or of a category."""

    category: str
    functions: list[Function]


class Specification(msgspec.Struct, frozen=True):
    """Instruction and status set of a device."""

    category: str
    functions: list[Function]
    status: list[Function]


class Status(msgspec.Struct, frozen=True, gc=False):
    """The value of one data point; `value` is JSON as the device reported it."""

    code: str
    value: msgspec.Raw


class Command(msgspec.Struct, frozen=True):
    """A value that a data point is to take."""

    code: str
    value: msgspec.Raw


def set_of(product: Product | None) -> StandardSet:
    """Return the data points of a product by code.

    OpenRefused: 2009 when none has a code, 2017 when the schema cannot be read.
    """
    try:
        points = standard_set(product.schema) if product is not None else {}
    except PeerError:
        raise OpenRefused(Code.SCHEMA_NOT_EXIST) from None
    if not points:
        raise OpenRefused(Code.DEVICE_UNSUPPORTED)
    return points


def functions(product: Product | None) -> Functions:
    """Return what can be set on devices of a product. OpenRefused as `set_of`."""
    category = product.category if product is not None else ""
    return Functions(category, [_function(one) for one in set_of(product).values() if one.settable])


def category_functions(state: State, category: str) -> Functions:
    """Return what can be set on devices of a category: the sets of all its products together.

    OpenRefused: 2015 when there is no such product.
    """
    products = [product for product in state.products.all() if product.category == category]
    if not products:
        raise OpenRefused(Code.CATEGORY_UNSUPPORTED)
    found: dict[str, Function] = {}
    for product in products:
        for one in _readable(product).values():
            if one.settable:
                found.setdefault(one.point.code, _function(one))
    return Functions(category, list(found.values()))


def specification(product: Product | None, *, with_ids: bool = False) -> Specification:
    """Return what can be set and what is reported; `with_ids` as version 1.1 of the call has it.

    OpenRefused as `set_of`.
    """
    points = set_of(product).values()
    return Specification(
        product.category if product is not None else "",
        [_function(one, with_id=with_ids) for one in points if one.settable],
        [_function(one, with_id=with_ids, status=True) for one in points if one.reported],
    )


def status(product: Product | None, values: Mapping[str, msgspec.Raw]) -> list[Status]:
    """Return the reported values with a code; none for a product that has no codes."""
    points = _readable(product) if product is not None else {}
    return [
        Status(code, values[dp_id])
        for code, one in points.items()
        if one.reported and (dp_id := str(one.point.id)) in values
    ]


def to_points(product: Product | None, commands: Iterable[Command]) -> dict[int, Value]:
    """Return commands as values by data point id.

    OpenRefused: 2003 for a code that is not in the instruction set, 2008 for a value that the data
    point does not take.
    """
    points = _readable(product) if product is not None else {}
    values: dict[int, Value] = {}
    for command in commands:
        one = points.get(command.code)
        if one is None or not one.settable:
            raise OpenRefused(Code.FUNCTION_UNSUPPORTED)
        values[one.point.id] = _value(one.point, command.value)
    return values


def model(product: Product | None) -> str:
    """Return the thing model of a product as JSON text. OpenRefused as `set_of`."""
    properties = [
        {
            "abilityId": one.point.id,
            "accessMode": one.point.mode,
            "code": code,
            "description": "",
            "name": one.name,
            "typeSpec": {"type": _kind(one.point), **_limits(one)},
        }
        for code, one in set_of(product).items()
    ]
    service = {"actions": [], "code": "", "description": "", "events": [], "name": ""}
    model_id = product.schema_id if product is not None else ""
    whole = {"modelId": model_id, "services": [{**service, "properties": properties}]}
    return encode_json(whole).decode()


# --- details ------------------------------------------------------------------------------------


def _readable(product: Product) -> StandardSet:
    try:
        return standard_set(product.schema)
    except PeerError:
        return {}


@lru_cache(_FUNCTIONS_CACHED)
def _function(one: StandardPoint, *, with_id: bool = False, status: bool = False) -> Function:
    return Function(
        code=one.point.code,
        type=_RAW if one.point.property is None else _TYPES[one.point.property.type],
        values=encode_json(_limits(one)).decode(),
        name=one.name,
        desc=msgspec.UNSET if status else one.name,
        dp_id=one.point.id if with_id else msgspec.UNSET,
    )


def _limits(one: StandardPoint) -> dict[str, object]:
    """Return what `values` and the model say of a data point: the fields that go with its type."""
    limits = one.point.property
    if limits is None:
        return {}
    named = {name: getattr(limits, name) for name in _LIMITS[limits.type]}
    unit = {"unit": one.unit} if limits.type == "value" else {}
    return {**unit, **{name: value for name, value in named.items() if value is not None}}


def _kind(point: DataPoint) -> str:
    return "raw" if point.property is None else point.property.type


def _value(point: DataPoint, json: msgspec.Raw) -> Value:
    try:
        value = datapoint.decode_dps(b'{"1":%b}' % bytes(json))[1]
        datapoint.check(point, value)
    except PeerError:
        raise OpenRefused(Code.COMMAND_UNSUPPORTED) from None
    return value
