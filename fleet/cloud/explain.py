"""Why somebody may or may not do something with a device, in lines for a person.

The verdicts are those of `fleet.cloud.rights`; this goes through everything that somebody could
claim: in the console by owning the product or by a grant, with each access key in the Open API,
in the app by a home. For batch unbinding the quotas of today are told as well.
"""

from collections.abc import Iterable, Iterator

import msgspec

from fleet.cloud.devices import Device
from fleet.cloud.open.routes import Caller
from fleet.cloud.permissions import Decision
from fleet.cloud.projects import Plan, Project
from fleet.cloud.quotas import Scope
from fleet.cloud.rights import (
    Action,
    decide,
    decide_at_console,
    decide_at_home,
    region_of,
    users_of,
)
from fleet.cloud.state import State


class Explanation(msgspec.Struct, frozen=True):
    """Whether it is allowed in any way, and why, line by line."""

    allowed: bool
    lines: list[str]


def explain(state: State, who: str, action: Action, device_name: str, now_ms: int) -> Explanation:
    """Explain whether `who` may do `action` with a device.

    `who` is the name of a developer account, a uid, or the name of somebody in the device's home;
    `device_name` a device id, or a uuid.
    """
    lines, device = _find(state, device_name)
    if device is None:
        return Explanation(allowed=False, lines=lines)
    lines.append(_device_line(state, device))
    verdicts = list(_verdicts(state, who, action, device, now_ms))
    if not verdicts:
        lines.append(f"{who} is neither a developer account nor a consumer of this device")
    for at, decision in verdicts:
        lines.append(f"{at}: {'allowed' if decision.allowed else 'refused'}: {decision.why}")
    if action is Action.UNBIND and who in state.accounts:
        lines += _quotas(state, who, device, now_ms)
    allowed = any(decision.allowed for _, decision in verdicts)
    verb = "may" if allowed else "may not"
    return Explanation(allowed, [f"{who} {verb} {action} {device.dev_id}", *lines])


def _find(state: State, name: str) -> tuple[list[str], Device | None]:
    device = state.devices.by_dev_id(name)
    if device is not None:
        return [], device
    device = state.devices.get(name)
    if device is None:
        return [f"there is no device {name}: refused like a foreign one (1106)"], None
    if not device.dev_id:
        return [f"{name} is a uuid, and the device was never paired, so it has no id (1106)"], None
    return [f"{name} is a uuid; calls name the device by its id {device.dev_id}, else 1106"], device


def _device_line(state: State, device: Device) -> str:
    product = state.products.get(device.product_id)
    made_by = f"{product.name} of {product.owner}" if product is not None else "unknown"
    whose = f"bound to {device.owner}" if device.bound else "bound to nobody"
    return (
        f"device: product {device.product_id} ({made_by}), {whose}, in {region_of(state, device)}"
    )


def _verdicts(
    state: State, who: str, action: Action, device: Device, now_ms: int
) -> Iterator[tuple[str, Decision]]:
    """Go through the ways in which `who` could do it, and what is said there."""
    if who in state.accounts:
        yield "console", decide_at_console(state, who, action, device)
        for project in state.projects.of_owner(who):
            yield f"project {project.name!r}", _by_project(state, project, action, device, now_ms)
    for uid in _uids(state, who, device):
        yield f"app user {uid}", decide_at_home(state, uid, action, device)


def _by_project(
    state: State, project: Project, action: Action, device: Device, now_ms: int
) -> Decision:
    """Decide for the best token that the project can have: its own, or that of who authorized it."""
    region = region_of(state, device)
    if not project.enabled_in(region):
        return Decision(allowed=False, why=f"data centre {region} is not enabled for it (28841107)")
    if project.plan != Plan.VALID:
        return Decision(allowed=False, why=f"its plan is {project.plan}")
    granters = (
        uid
        for uid in users_of(state, device)
        if project.access_id in state.open_tokens.granted_by(uid, now_ms)
    )
    own = decide(state, Caller(project, region), action, device)
    lent = (decide(state, Caller(project, region, uid), action, device) for uid in granters)
    return next((decision for decision in (own, *lent) if decision.allowed), own)


def _uids(state: State, who: str, device: Device) -> Iterable[str]:
    if state.users.get(who) is not None:
        return [who]
    people = (state.users.get(uid) for uid in users_of(state, device))
    return [user.uid for user in people if user is not None and user.name == who]


def _quotas(state: State, account: str, device: Device, now_ms: int) -> Iterator[str]:
    """Tell of today's batch unbinding, for which alone there are quotas."""
    for scope, name in ((Scope.ACCOUNT, account), (Scope.PRODUCT, device.product_id)):
        quota = state.quotas.standing(scope, name, now_ms)
        yield f"batch unbinding: {scope} {name} has used {quota.used} of {quota.limit} today"
