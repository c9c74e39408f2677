"""A product's standard instruction set: which of its data points have a code, and what they take.

Developers' programs know data points by code ("switch_1"), devices by number. Points without a
code are not part of the set: programs neither see nor set them, and no log shows them (a remark in
jasonacox/tinytuya, `tinytuya/Cloud.py`, on logs).
"""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from firmware_sim.errors import PeerError
from firmware_sim.wire.datapoint import DataPoint, decode_schema
from firmware_sim.wire.structs import decode_json

_SCHEMAS_CACHED = 256


class _Unit(msgspec.Struct, frozen=True):
    unit: str = ""


class _Wording(msgspec.Struct, frozen=True):
    """What a schema may say besides that firmware has no use for."""

    name: str = ""
    property: _Unit | None = None


class StandardPoint(msgspec.Struct, frozen=True):
    """One data point with a code, the name that people read, and the unit of its numbers."""

    point: DataPoint
    name: str
    unit: str

    @property
    def settable(self) -> bool:
        """Tell whether programs may set the point."""
        return self.point.mode != "ro"

    @property
    def reported(self) -> bool:
        """Tell whether devices report the point."""
        return self.point.mode != "wr"


StandardSet = Mapping[str, StandardPoint]
"""The points of a product by code, in the order of its schema."""


@lru_cache(_SCHEMAS_CACHED)
def standard_set(schema: str) -> StandardSet:
    """Return the points with codes in a schema text. Raises a PeerError when it cannot be read."""
    points = decode_schema(schema)
    words = decode_json(tuple[_Wording, ...], schema.encode())
    return {
        point.code: StandardPoint(
            point,
            word.name or point.code.replace("_", " "),
            word.property.unit if word.property is not None else "",
        )
        for point, word in zip(points, words, strict=True)
        if point.code
    }


@lru_cache(_SCHEMAS_CACHED)
def codes_of(schema: str) -> Mapping[str, str]:
    """Return codes by data point id in decimal digits; none for a schema that cannot be read."""
    try:
        points = standard_set(schema)
    except PeerError:
        return {}
    return {str(one.point.id): code for code, one in points.items()}
