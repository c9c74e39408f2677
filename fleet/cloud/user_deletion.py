"""The deletion of a user, some days after it was asked for: devices, homes, logins, the user.

"Pre-delete the user account" (developer.tuya.com): when the days are over the user goes, and
all data of the user's devices. So each device is taken away with order to erase everything.
"""

from fleet.cloud import push
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.devices import ResetKind
from fleet.cloud.removal import remove
from fleet.cloud.sessions import APP
from fleet.cloud.state import State
from fleet.cloud.users import User

BATCH = 100  # users deleted in one step, for the sake of everybody else


def delete_due(state: State, link: DeviceLink, now_ms: int) -> None:
    """Delete users whose days are over; their devices are told if they are online.

    There may be more: then the next deadline has already come.
    """
    for user in state.users.due(now_ms, BATCH):
        _delete(state, link, user, now_ms)


def _delete(state: State, link: DeviceLink, user: User, now_ms: int) -> None:
    kind = ResetKind.RESET_FACTORY
    for device in state.devices.owned_by(user.uid):
        if device.gateway:
            continue  # it goes with its gateway, which belongs to the same user
        reachable = link.reachable(device)
        removed = remove(state, user.uid, device.dev_id, kind, now_ms, reachable=reachable)
        if reachable:
            link.tell_reset(removed, now_ms)
    for home in state.homes.of_user(user.uid):
        if home.owner == user.uid:
            state.homes.remove(home)
            told = push.home_changed(
                "homeDelete", home.home_id, home.name, user.uid, user.schema, now_ms, user.region
            )
            state.journal.effects.append(told)
        else:
            state.homes.drop_member(home, user.uid)
    state.asset_grants.forget_user(user.uid)
    state.sessions.end_all(APP, user.uid)
    state.users.remove(user)
    state.journal.effects.append(push.user_deleted(user.uid, user.schema, user.region, now_ms))
