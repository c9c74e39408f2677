"""The data points of the built-in models: what clients need so that they can read all of them.

tinytuya takes no frame whose length field says more than 1440 bytes, and it is the strictest
client there is, so the whole status of a device has to fit, whatever has been set.
"""

import pytest

from firmware_sim.device import lan_children
from firmware_sim.device.profile import Point
from firmware_sim.wire import lan_body, lan_message
from firmware_sim.wire.datapoint import Value, check
from firmware_sim.wire.lan_frame import Command, Frame
from firmware_sim.wire.lan_version import LanVersion
from hw_profiles import catalog

FRAME_SIZE_MAX = 1440
DEV_ID = "6c" + 20 * "x"
KEY, NONCE = b"0123456789abcdef", bytes(12)
NOW_S = 1_700_000_000

THINGS: dict[str, tuple[tuple[Point, ...], str | None]] = {}
for _name in catalog.names():
    _profile = catalog.load(_name)
    THINGS[_name] = (_profile.data_points, None)
    for _number, _child in enumerate(_profile.children):
        THINGS[f"{_name}: {_child.title}"] = (_child.data_points, lan_children.cid("u", _number))


def longest(point: Point) -> Value:
    """Return a value that `point` can have and that takes as much room as printable text can."""
    limits = point.property
    if limits is None or point.mode == "ro" or limits.type == "bool":
        return point.initial
    if limits.type == "string":
        return (limits.maxlen or 0) * '"'  # escaped, so it takes two bytes
    if limits.type == "enum":
        return max(limits.range, key=len)
    assert limits.min is not None
    assert limits.max is not None
    return max(limits.min, limits.max, key=lambda number: len(str(number)))


@pytest.mark.parametrize("version", LanVersion)
@pytest.mark.parametrize("thing", THINGS)
def test_the_whole_status_fits_one_frame(thing: str, version: LanVersion) -> None:
    points, cid = THINGS[thing]
    dps = {point.id: longest(point) for point in points}
    for point in points:
        check(point, dps[point.id])
    status = lan_body.encode_status(version, DEV_ID, dps, cid)
    report = lan_body.encode_report(version, DEV_ID, NOW_S, dps, cid)
    for command, body in ((lan_body.query_command(version), status), (Command.STATUS, report)):
        frame = lan_message.seal(Frame(1, command, body, 0), version, KEY, nonce=NONCE)
        assert len(frame) <= FRAME_SIZE_MAX


@pytest.mark.parametrize("thing", THINGS)
def test_every_point_has_a_code_of_its_own(thing: str) -> None:
    codes = [point.code for point in THINGS[thing][0]]
    assert all(codes)
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("name", catalog.names())
def test_something_can_be_set_on_every_model(name: str) -> None:
    assert any(point.mode == "rw" for point in catalog.load(name).data_points)


def test_a_gateway_has_children_to_set_to_read_and_to_miss() -> None:
    children = catalog.load("gateway").children
    assert {child.online for child in children} == {True, False}
    modes = [{point.mode for point in child.data_points} for child in children]
    assert {"ro"} in modes
    assert {"ro", "rw"} in modes
