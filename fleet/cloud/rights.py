"""Who may do what with which device: one table of claims, and the questions that are asked of it.

A claim is what makes a device somebody's business. A developer's project has one by the device's
*product* (it is the developer's), by the *application* (the device's user is one of the project's
apps'), or because a user *authorized* it; any one of them is enough ("Open API FAQ",
developer.tuya.com). A consumer has one by the home: owner and administrators manage a device, plain
members use it ("Home Management"); an asset user has one by the authorization for the asset that the
device is in ("Authorize Assets"). An account has one by owning the product or by a grant of its
owner, see `fleet.cloud.permissions`, where the other half of the table is.

What is refused gets one answer (1106), whether the device is foreign, unbound, in another data
centre or does not exist: nobody learns from it which devices there are. Which actions a plain
member lacks, and which permission an action takes of a grant, is ours.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from fleet.cloud.devices import Device
from fleet.cloud.history import Operation, Way
from fleet.cloud.homes import Home, Role
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import Caller, OpenCall
from fleet.cloud.permissions import Decision, Permission
from fleet.cloud.projects import Project
from fleet.cloud.reasons import Reason
from fleet.cloud.state import State


class Action(StrEnum):
    """What can be done with a device, a user or a home."""

    SEE = "see"
    STATUS = "status"
    SEE_LOG = "see_log"
    COMMAND = "command"
    RENAME = "rename"
    MOVE = "move"
    FREEZE = "freeze"
    UNBIND = "unbind"
    DELETE = "delete"
    RESET = "reset"
    PAIR = "pair"
    SEE_USER = "see_user"
    EDIT_USER = "edit_user"
    SEE_HOME = "see_home"
    EDIT_HOME = "edit_home"
    ADD_MEMBER = "add_member"
    ADD_ADMIN = "add_admin"
    DELETE_HOME = "delete_home"


class Standing(StrEnum):
    """How a project or a consumer stands to a device."""

    PRODUCT = "product"
    APPLICATION = "application"
    PROJECT = "project"  # it was paired under the project itself
    HOME_OWNER = "home owner"
    HOME_ADMIN = "home administrator"
    HOME_MEMBER = "home member"
    ASSET_USER = "asset user"  # authorized for the asset that it is in


_READING = frozenset({Action.SEE, Action.STATUS, Action.SEE_LOG})
_REMOVING = frozenset({Action.UNBIND, Action.DELETE, Action.RESET})
_MANAGING = _READING | _REMOVING | {Action.COMMAND, Action.RENAME, Action.MOVE}
_HOME_ADMIN = _MANAGING | {Action.PAIR, Action.SEE_HOME, Action.EDIT_HOME, Action.ADD_MEMBER}
_OF_THE_USER = frozenset({Action.SEE_USER, Action.EDIT_USER})

_NO_OWNER = "the device has no owner"
_NOTHING: frozenset[Action] = frozenset()

HELD: Mapping[Standing, frozenset[Action]] = {
    Standing.PRODUCT: _MANAGING | {Action.FREEZE},
    Standing.APPLICATION: frozenset(Action),
    Standing.PROJECT: _MANAGING | {Action.FREEZE, Action.PAIR},
    Standing.HOME_OWNER: _HOME_ADMIN | _OF_THE_USER | {Action.ADD_ADMIN, Action.DELETE_HOME},
    Standing.HOME_ADMIN: _HOME_ADMIN,
    Standing.HOME_MEMBER: frozenset(
        {Action.SEE, Action.STATUS, Action.COMMAND, Action.SEE_HOME},
    ),
    Standing.ASSET_USER: _MANAGING | {Action.PAIR},
}
"""What each standing holds; a user who authorizes a project lends it the own standing."""

_ROLES: Mapping[str, Standing] = {
    Role.OWNER: Standing.HOME_OWNER,
    Role.ADMIN: Standing.HOME_ADMIN,
    Role.MEMBER: Standing.HOME_MEMBER,
}

TAKES: Mapping[Action, Permission] = {
    **dict.fromkeys(_READING, Permission.SEE_DEVICE_LOG),
    **dict.fromkeys((Action.COMMAND, Action.RENAME, Action.FREEZE), Permission.EDIT_PRODUCT),
    **dict.fromkeys(_REMOVING, Permission.UNBIND),
}
"""Which permission of a grant an action takes; what is not named here no grant holds."""


class Claim(NamedTuple):
    """One reason why a device is somebody's business, in words, and what it allows."""

    why: str
    held: frozenset[Action]


_CLAIMS = {standing: Claim(standing.value, held) for standing, held in HELD.items()}


# --- questions of the Open API ------------------------------------------------------------------


def decide(state: State, caller: Caller, action: Action, device: Device) -> Decision:
    """Decide whether a call may do `action` with `device`."""
    objection = _objection(state, caller.region, device)
    if objection:
        return Decision(allowed=False, why=objection)
    return _judge(action, claims_of(state, caller, device))


def check(call: OpenCall, action: Action, device: Device | None) -> Device:
    """Return `device`. OpenRefused (1106) unless the call may do `action` with it, or it is None.

    Look the device up by its device id: whoever gives a uuid in its place finds none. Who tries to
    take away what is somebody else's leaves a row in the history.
    """
    if device is None:
        raise OpenRefused(Code.PERMISSION_DENY)
    if not decide(call.state, call.caller, action, device).allowed:
        if action in _REMOVING and device.bound:
            call.state.record(
                Operation.DELETE,
                device.uuid,
                call.now_ms,
                account=call.caller.project.owner,
                method=Way.OPEN_API,
                reason=Reason.NO_PERMISSION,
            )
        raise OpenRefused(Code.PERMISSION_DENY)
    return device


def check_user(call: OpenCall, uid: str) -> None:
    """Raise OpenRefused (1106) unless the consumer `uid` is the caller's business.

    That is a user of one of the project's apps, or the one whose token the call carries.
    """
    caller = call.caller
    here = is_in(call.state, uid, caller.region)
    if not here or not (uid == caller.uid or _disposes_of(call.state, caller, uid)):
        raise OpenRefused(Code.PERMISSION_DENY)


def check_home(call: OpenCall, action: Action, home_id: str) -> Home:
    """Return a home. OpenRefused (1106) unless the call may do `action` with it.

    A project may as the maker of its owner's app, or as who authorized it may by living there.
    """
    state, caller = call.state, call.caller
    home = state.homes.get(home_id)
    if home is None or not is_in(state, home.owner, caller.region):
        raise OpenRefused(Code.PERMISSION_DENY)
    held = HELD[Standing.APPLICATION] if _disposes_of(state, caller, home.owner) else _NOTHING
    role = home.role(caller.uid)
    if role:
        held |= HELD[_ROLES[role]]
    if action not in held:
        raise OpenRefused(Code.PERMISSION_DENY)
    return home


def projects_for(state: State, device: Device, now_ms: int, schema: str = "") -> list[Project]:
    """Return the projects that hear of a device, sorted by access id.

    Give the device as it was when it happened. They may see it, in simple mode or because its owner
    authorized them, and its data centre is enabled for them; of what is nobody's, nobody hears.
    `schema` is the owner's app, if the owner is forgotten.
    """
    if not device.bound:
        return []
    region, granted = region_of(state, device), state.open_tokens.granted_by(device.owner, now_ms)
    return [
        project
        for project in state.projects.all()
        if project.enabled_in(region)
        and (
            project.access_id in granted
            or project.owns_app(schema)
            or _judge(Action.SEE, claims_of(state, Caller(project, region), device)).allowed
        )
    ]


def lets_act(state: State, project: Project, uid: str, now_ms: int) -> bool:
    """Tell whether a project may act for a consumer: a user of its own, or who consents."""
    granted = state.open_tokens.granted_by(uid, now_ms)
    return _has_user(state, project, uid) or project.access_id in granted


def is_asset_user(state: State, caller: Caller) -> bool:
    """Tell whether the call carries the token of an asset user of the project."""
    user = state.users.get(caller.uid) if caller.uid else None
    return user is not None and user.schema == caller.project.asset_app


def region_of(state: State, device: Device) -> str:
    """Return the data centre that the device is in."""
    return device.region or state.settings.region


def is_in(state: State, uid: str, region: str) -> bool:
    """Tell whether there is such a consumer in a data centre."""
    user = state.users.get(uid)
    return user is not None and state.users.app_of(user).region == region


# --- questions of the console and the app -------------------------------------------------------


def decide_at_console(state: State, account: str, action: Action, device: Device) -> Decision:
    """Decide whether an account may do `action` with `device`, by its product alone.

    Who makes devices may read about those that nobody owns as well, wherever they are.
    """
    product = state.products.get(device.product_id)
    if product is None:
        return Decision(allowed=False, why="the device's product is unknown")
    if not device.bound and action not in _READING:
        return Decision(allowed=False, why=_NO_OWNER)
    if product.owner == account:
        return _judge(action, [Claim("owner of the product", HELD[Standing.PRODUCT])])
    if action not in TAKES:
        return Decision(allowed=False, why=f"no grant holds {action}")
    return state.accounts.may(TAKES[action], account, product)


def decide_at_home(state: State, uid: str, action: Action, device: Device) -> Decision:
    """Decide whether a consumer may do `action` with `device`."""
    return _judge(action, claims_of_user(state, uid, device))


# --- claims -------------------------------------------------------------------------------------


def claims_of(state: State, caller: Caller, device: Device) -> Iterator[Claim]:
    """Go through the claims of a call on a device, the plainest first.

    Of what is the project's an asset user has no part but the own.
    """
    project = caller.project
    if is_asset_user(state, caller):
        yield from claims_of_user(state, caller.uid, device)
        return
    product = state.products.get(device.product_id)
    if product is not None and product.owner == project.owner:
        yield _CLAIMS[Standing.PRODUCT]
    if device.owner == project.uid:
        yield _CLAIMS[Standing.PROJECT]
    if _has_user(state, project, device.owner):
        yield _CLAIMS[Standing.APPLICATION]
    if caller.uid:
        for claim in claims_of_user(state, caller.uid, device):
            yield Claim(f"authorized by {caller.uid} ({claim.why})", claim.held)
    if state.settings.open_grantee_projects:
        yield from claims_by_grant(state, project.owner, device)


def claims_of_user(state: State, uid: str, device: Device) -> Iterator[Claim]:
    """Go through the claims of a consumer on a device: the standing in its home."""
    standing = standing_at_home(state, uid, device)
    if standing is not None:
        held = HELD[standing]
        removes = standing is Standing.HOME_MEMBER and state.settings.home_member_removes
        yield Claim(standing.value, held | _REMOVING if removes else held)


def users_of(state: State, device: Device) -> list[str]:
    """Return the uids of those who have a standing with the device, its owner first."""
    if not device.bound:
        return []
    home = state.homes.of_device(device)
    there = home.uids if home is not None else ()
    return list(dict.fromkeys((device.owner, *there, *state.asset_grants.of_space(device.space))))


def standing_at_home(state: State, uid: str, device: Device) -> Standing | None:
    """Return how a consumer stands to a device; None: it is not theirs.

    Who bound it manages it, whatever the role in the home.
    """
    if device.owner == uid:
        return Standing.HOME_OWNER
    home = state.homes.of_device(device) if device.bound else None
    role = home.role(uid) if home is not None else ""
    if role:
        return _ROLES[role]
    works_there = device.bound and state.asset_grants.holds(uid, device.space)
    return Standing.ASSET_USER if works_there else None


def claims_by_grant(state: State, account: str, device: Device) -> Iterator[Claim]:
    """Go through the claims of an account by grants of the owner of the device's product."""
    product = state.products.get(device.product_id)
    if product is None:
        return
    for grant, permissions in state.accounts.grants_on(account, product):
        held = frozenset(action for action, taken in TAKES.items() if taken in permissions)
        yield Claim(f"{grant.kind}: {grant.role}", held)


def _judge(action: Action, claims: Iterable[Claim]) -> Decision:
    near_miss = "no claim on the device"
    for claim in claims:
        if action in claim.held:
            return Decision(allowed=True, why=claim.why)
        near_miss = f"{claim.why} does not hold {action}"
    return Decision(allowed=False, why=near_miss)


def _objection(state: State, region: str, device: Device) -> str:
    """Return why the device is nobody's business in data centre `region`, "" when it is not so."""
    if not device.bound:
        return _NO_OWNER
    at = region_of(state, device)
    return f"the device is in data centre {at}, not {region}" if at != region else ""


def _disposes_of(state: State, caller: Caller, uid: str) -> bool:
    """Tell whether a call may do with a consumer what the maker of the consumer's app may."""
    return _has_user(state, caller.project, uid) and not is_asset_user(state, caller)


def _has_user(state: State, project: Project, uid: str) -> bool:
    """Tell whether a consumer is a user of one of the project's apps."""
    user = state.users.get(uid)
    return user is not None and project.owns_app(user.schema)
