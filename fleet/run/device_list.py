"""`devices.json` in the form of tinytuya's wizard, which LAN clients read names and keys from.

Keys as in jasonacox/tinytuya, tinytuya/Cloud.py (`filter_devices`, `_build_mapping`) and
tinytuya/wizard.py (`node_id` and `parent` of sub-devices). What a cloud in the field knows and ours
does not (icons, serial numbers, the products of sub-devices) is left out, as the wizard does.

Only bound devices have a place in it: a forced scan tries every key of the list, and an empty one
ends it.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from firmware_sim.device import lan_children
from firmware_sim.device.profile import Point
from fleet.lan.arrangement import mac_of
from fleet.run import seeding
from fleet.run.population import Population, Unit

_TYPES = {
    "bool": "Boolean",
    "value": "Integer",
    "enum": "Enum",
    "string": "String",
    "bitmap": "Bitmap",
}


class Mapped(msgspec.Struct, frozen=True):
    """A data point; `values` are its limits, as JSON text for a string and a table for others."""

    code: str
    type: str
    values: str | dict[str, Any]


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device or a sub-device. Clients look for `name`, `id` and `key` without asking."""

    name: str
    id: str
    key: str
    mac: str
    uuid: str
    category: str
    product_name: str
    product_id: str = ""
    model: str = ""
    sub: bool
    ip: str = ""
    version: str = ""
    node_id: str = ""
    parent: str = ""
    mapping: dict[str, Mapped]

    def __repr__(self) -> str:
        """Show which device, never its key."""
        return f"Entry({self.name!r}, {self.id!r})"


def encode(population: Population, units: Iterable[Unit], address: Callable[[int], str]) -> bytes:
    """Return the file for `units`, all of them bound: a JSON list, one line per entry.

    `address` gives the IPv4 address (dotted quad) of a unit by its index.
    """
    lines = [
        msgspec.json.encode(entry)
        for unit in units
        for entry in _entries(population, unit, address(unit.index))
    ]
    return b"[\n" + b",\n".join(lines) + b"\n]\n"


def _entries(population: Population, unit: Unit, ip: str) -> Iterator[Entry]:
    """Yield a device and then what is behind it.

    A client that looks for the owner of a key takes the first that has it, and sub-devices have
    that of their gateway.
    """
    profile = population.profile(unit)
    name = f"{unit.product.name}-{unit.index}"
    yield Entry(
        name=name,
        id=unit.dev_id,
        key=unit.local_key,
        mac=mac_of(ip),
        uuid=unit.uuid,
        category=profile.category,
        product_name=unit.product.name,
        product_id=unit.product.product_id,
        model=profile.name,
        sub=False,
        ip=ip,
        version=unit.lan_version,
        mapping=_mapping(profile.data_points),
    )
    for number, child in enumerate(profile.children):
        node_id = lan_children.cid(unit.uuid, number)
        yield Entry(
            name=f"{name} {child.title}",
            id=seeding.child_id(node_id),
            key=unit.local_key,
            mac="",
            uuid=node_id,
            category=child.category,
            product_name=child.title,
            sub=True,
            node_id=node_id,
            parent=unit.dev_id,
            mapping=_mapping(child.data_points),
        )


@lru_cache(maxsize=256)
def _mapping(points: tuple[Point, ...]) -> dict[str, Mapped]:
    return {str(point.id): _mapped(point) for point in points}


def _mapped(point: Point) -> Mapped:
    if point.property is None:
        return Mapped(point.code, "Raw", {})
    limits = msgspec.to_builtins(point.property)
    kind = _TYPES[limits.pop("type")]
    is_text = kind == "String"
    return Mapped(point.code, kind, msgspec.json.encode(limits).decode() if is_text else limits)
