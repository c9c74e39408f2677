"""Who hears a push message: projects, and the data centre whose push host tells them.

A message on a device is for the projects that may see it, or could until it happened
(`fleet.cloud.rights`); one on a user, or on what belongs to a user, for those whose app it is. The
data centre is that of the device or the user, and has to be enabled for the project.
"""

import msgspec

from fleet.cloud import rights
from fleet.cloud.messages import PushRaised
from fleet.cloud.open.push_address import push_centre
from fleet.cloud.projects import Project
from fleet.cloud.state import State


def audience(state: State, raised: PushRaised, now_ms: int) -> list[Project]:
    """Return the projects that are to hear of a happening, sorted by access id."""
    device = state.devices.by_dev_id(raised.dev_id)
    if device is not None:
        # Later in the same step it may have found another owner, or moved to another data centre.
        if (device.owner, device.region) != (raised.uid, raised.region):
            device = msgspec.structs.replace(device, owner=raised.uid, region=raised.region)
        return rights.projects_for(state, device, now_ms, raised.schema)
    region = _region_of(state, raised)
    return [
        project
        for project in state.projects.all()
        if project.owns_app(raised.schema) and project.enabled_in(region)
    ]


def centre_of(state: State, raised: PushRaised) -> str:
    """Return the data centre whose push host tells of a happening."""
    return push_centre(_region_of(state, raised))


def _region_of(state: State, raised: PushRaised) -> str:
    user = None if raised.dev_id else state.users.get(raised.uid)
    return raised.region or (user.region if user is not None else "") or state.settings.region
