"""Devices, IoT Core family (`/v2.0/cloud/thing`): devices as things with properties.

A property is a data point with a code; values travel as a JSON object inside a text. Sources:
"Query Device Details", "Query Latest Device Details by UUID", "Query Devices in Project", "Restore
Factory Defaults", "Freeze/Unfreeze Device", "Get Device State", "Transfer Device", "Query
Properties", "Modify Properties", "Send Property", "Query Desired Properties", "Set Desired
Property", "Send Action" and "Query Things Data Model" (developer.tuya.com). Our products have no
actions, so every action is refused (2003).
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from firmware_sim.errors import PeerError
from firmware_sim.wire.structs import decode_json
from fleet.cloud import rights
from fleet.cloud.data_points import Values
from fleet.cloud.desired import Desired
from fleet.cloud.devices import Device
from fleet.cloud.dp_log import DpEvent
from fleet.cloud.open import asked, device_acts, device_view, devices_v1, standard
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.device_view import CoreDevice
from fleet.cloud.open.devices_industry import FreezeState
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.open.standard import Command
from fleet.cloud.rights import Action

BATCH_MAX = 20
FILTERS_MAX = 5

PointName = Annotated[str, Meta(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class ProjectQuery(msgspec.Struct, frozen=True):
    """Which of the project's devices, and which page."""

    page_size: Annotated[int, Meta(ge=1, le=20)]
    last_id: str = ""
    product_ids: str = ""
    categories: str = ""


class CodesQuery(msgspec.Struct, frozen=True):
    """Which properties, separated by commas; none: all."""

    codes: str = ""

    def names(self, code: str) -> bool:
        """Tell whether a property is asked for."""
        return not self.codes or code in self.codes.split(",")


class Property(msgspec.Struct, frozen=True, gc=False):
    """A property as it was last reported; `time` in ms."""

    code: str
    custom_name: str
    dp_id: int
    time: int
    value: msgspec.Raw


class DesiredProperty(msgspec.Struct, frozen=True, gc=False):
    """A property as it is wished for; times in ms, `status` 1 once the device was told."""

    code: str
    dp_id: int = msgspec.field(name="dpId")
    expire_time: int
    status: int
    time: int
    value: msgspec.Raw


class Properties(msgspec.Struct, frozen=True):
    """Properties of a device."""

    properties: list[Property]


class DesiredProperties(msgspec.Struct, frozen=True):
    """Wishes for a device."""

    properties: list[DesiredProperty]


class CustomName(msgspec.Struct, frozen=True):
    """A name for a property; an empty one takes it away."""

    code: str
    custom_name: PointName


class NamesForm(msgspec.Struct, frozen=True):
    """Names for properties."""

    properties: Annotated[list[CustomName], Meta(min_length=1)]


class IssueForm(msgspec.Struct, frozen=True):
    """Values by code, as JSON in a text."""

    properties: str


class DesireForm(msgspec.Struct, frozen=True):
    """The same with a life in seconds."""

    properties: str
    duration: int


class ActionForm(msgspec.Struct, frozen=True):
    """An action and its input."""

    code: str
    input_params: str


class TransferForm(msgspec.Struct, frozen=True):
    """The space to put a device into."""

    space_id: int | str


class Model(msgspec.Struct, frozen=True):
    """The thing model, as JSON in a text."""

    model: str


class Nothing(msgspec.Struct, frozen=True):
    """An empty object: the call has no result."""


# --- devices ------------------------------------------------------------------------------------


def see_device(call: OpenCall) -> CoreDevice:
    """Show one device."""
    return device_view.core(call.state, call.link, asked.device(call, Action.SEE))


def see_last(call: OpenCall) -> CoreDevice | None:
    """Show the device of a uuid; null when there is none, nobody owns it, or somebody else does.

    The last of these may be a refusal instead, by `open_foreign_uuid_code`.
    """
    device = call.state.devices.get(call.path["uuid"])
    if device is None or not device.bound:
        return None
    if not rights.decide(call.state, call.caller, Action.SEE, device).allowed:
        code = call.state.settings.open_foreign_uuid_code
        if code:
            raise OpenRefused(Code(code))
        return None
    return device_view.core(call.state, call.link, device)


def see_batch(call: OpenCall) -> list[CoreDevice]:
    """Show the devices of a list of ids."""
    return _views(call, asked.devices(call, Action.SEE, BATCH_MAX))


def see_project(call: OpenCall) -> list[CoreDevice]:
    """Show, page by page, the devices that the caller may see."""
    query = call.query_as(ProjectQuery)
    products, categories = _filter(query.product_ids), _filter(query.categories)
    found: list[Device] = []
    for device in asked.visible(call, query.last_id):
        product = asked.product(call, device)
        category = product.category if product is not None else ""
        if (not products or device.product_id in products) and (
            not categories or category in categories
        ):
            found.append(device)
            if len(found) == query.page_size:
                break
    return _views(call, found)


def see_state(call: OpenCall) -> FreezeState:
    """Show whether a device is frozen."""
    return FreezeState(1 if asked.device(call, Action.SEE).frozen else 0)


def freeze(call: OpenCall) -> bool:
    """Freeze a device or thaw it."""
    frozen = call.body_as(FreezeState).state == 1
    device = asked.device(call, Action.FREEZE)
    device_acts.freeze(call.state, device, call.now_ms, frozen=frozen)
    return True


def transfer(call: OpenCall) -> bool:
    """Put a device into a space of the project."""
    space_id = str(call.body_as(TransferForm).space_id)
    device, space = asked.device(call, Action.MOVE), asked.space(call, space_id)
    device_acts.transfer(call.state, device, space.space_id, call.now_ms)
    return True


# --- properties ---------------------------------------------------------------------------------


def see_properties(call: OpenCall) -> Properties:
    """Show the last values of a device."""
    device, query = asked.device(call, Action.STATUS), call.query_as(CodesQuery)
    points = standard.set_of(asked.product(call, device))
    names, times = dict(device.point_names), _times(call, device)
    properties = []
    for status in device_view.status_of(call.state, device):
        if query.names(status.code):
            dp_id = points[status.code].point.id
            name, time_ms = names.get(status.code, ""), times[str(dp_id)]
            properties.append(Property(status.code, name, dp_id, time_ms, status.value))
    return Properties(properties)


def name_properties(call: OpenCall) -> bool:
    """Give properties names of their own."""
    form = call.body_as(NamesForm)
    device = asked.device(call, Action.RENAME)
    names = {one.code: one.custom_name for one in form.properties}
    device_acts.name_points(call.state, device, names, call.now_ms)
    return True


def issue_properties(call: OpenCall) -> Nothing:
    """Send values to a device."""
    commands = _commands(call.body_as(IssueForm).properties)
    device = asked.device(call, Action.COMMAND)
    device_acts.command(call.state, call.link, device, commands, call.now_ms)
    return Nothing()


def see_desired(call: OpenCall) -> DesiredProperties:
    """Show the wishes for a device."""
    device, query = asked.device(call, Action.STATUS), call.query_as(CodesQuery)
    points = standard.set_of(asked.product(call, device))
    wishes = {
        one.dp_id: one for one in call.state.data_points.desired.of(device.dev_id, call.now_ms)
    }
    return DesiredProperties(
        [
            _desired(code, wishes[one.point.id])
            for code, one in points.items()
            if one.point.id in wishes and query.names(code)
        ]
    )


def desire_properties(call: OpenCall) -> Nothing:
    """Wish for values."""
    form = call.body_as(DesireForm)
    commands = _commands(form.properties)
    device = asked.device(call, Action.COMMAND)
    device_acts.desire(call.state, call.link, device, commands, form.duration, call.now_ms)
    return Nothing()


def send_action(call: OpenCall) -> Nothing:
    """Refuse (2003): no product of ours has actions, only data points. The input is a JSON object."""
    _values(call.body_as(ActionForm).input_params)
    asked.device(call, Action.COMMAND)
    raise OpenRefused(Code.FUNCTION_UNSUPPORTED)


def see_model(call: OpenCall) -> Model:
    """Show the thing model of a device."""
    return Model(standard.model(asked.product(call, asked.device(call, Action.SEE))))


# --- details ------------------------------------------------------------------------------------


def _views(call: OpenCall, devices: list[Device]) -> list[CoreDevice]:
    return [device_view.core(call.state, call.link, device) for device in devices]


def _filter(text: str) -> list[str]:
    chosen = [one for one in text.split(",") if one]
    if len(chosen) > FILTERS_MAX:
        raise OpenRefused(Code.PARAM_RANGE)
    return chosen


def _times(call: OpenCall, device: Device) -> dict[str, int]:
    """Return when each data point was last reported; what the log forgot, when that begins."""
    points = call.state.data_points
    rows = [row for row in points.log.of(device.dev_id) if row.event == DpEvent.REPORT]
    oldest_ms = rows[0].time_ms if rows else points.reported_ms(device.dev_id)
    times = dict.fromkeys(points.get(device.dev_id), oldest_ms)
    for row in rows:
        times |= dict.fromkeys(decode_json(Values, row.dps.encode()), row.time_ms)
    return times


def _commands(text: str) -> list[Command]:
    values = _values(text)
    if not values:
        raise OpenRefused(Code.PARAM_EMPTY)
    return [Command(code, value) for code, value in values.items()]


def _values(text: str) -> Values:
    try:
        return decode_json(Values, text.encode())
    except PeerError:
        raise OpenRefused(Code.PARAM_ILLEGAL) from None


def _desired(code: str, wish: Desired) -> DesiredProperty:
    return DesiredProperty(
        code=code,
        dp_id=wish.dp_id,
        expire_time=wish.expires_ms,
        status=1 if wish.sent else 0,
        time=wish.set_ms,
        value=msgspec.Raw(wish.value.encode()),
    )


_BASE = "/v2.0/cloud/thing"
_ONE = f"{_BASE}/{{device_id}}"

ROUTES = tuple(
    Route(method, pattern, handler, Family.CORE)
    for method, pattern, handler in (
        ("GET", f"{_BASE}/device", see_project),
        ("GET", f"{_BASE}/batch", see_batch),
        ("GET", f"{_BASE}/last/{{uuid}}", see_last),
        ("GET", _ONE, see_device),
        ("DELETE", _ONE, devices_v1.delete),
        ("POST", f"{_ONE}/reset", devices_v1.reset_factory),
        ("POST", f"{_ONE}/freeze", freeze),
        ("POST", f"{_ONE}/transfer", transfer),
        ("GET", f"{_ONE}/state", see_state),
        ("GET", f"{_ONE}/shadow/properties", see_properties),
        ("POST", f"{_ONE}/shadow/properties", name_properties),
        ("POST", f"{_ONE}/shadow/properties/issue", issue_properties),
        ("GET", f"{_ONE}/shadow/properties/desired", see_desired),
        ("POST", f"{_ONE}/shadow/properties/desired", desire_properties),
        ("POST", f"{_ONE}/shadow/actions", send_action),
        ("GET", f"{_ONE}/model", see_model),
    )
)
