"""Who hears a push message: projects, and the data centre whose push host tells them.

A message on a device is for the projects whose business the device is (`fleet.cloud.rights`); one
on a user, or on what belongs to a user, for those whose app it is. The data centre is that of the
device or the user, and has to be enabled for the project.
"""

from fleet.cloud import rights
from fleet.cloud.messages import PushRaised
from fleet.cloud.open.push_address import push_centre
from fleet.cloud.projects import Project
from fleet.cloud.state import State


def audience(state: State, raised: PushRaised, now_ms: int) -> list[Project]:
    """Return the projects that are to hear of a happening, sorted by access id."""
    device = state.devices.by_dev_id(raised.dev_id)
    if device is not None:
        return rights.projects_for(state, device, now_ms, raised.uid)
    region = _region_of(state, raised)
    return [one for one in state.projects.of_schema(raised.schema) if one.enabled_in(region)]


def centre_of(state: State, raised: PushRaised) -> str:
    """Return the data centre whose push host tells of a happening."""
    return push_centre(_region_of(state, raised))


def _region_of(state: State, raised: PushRaised) -> str:
    device = state.devices.by_dev_id(raised.dev_id)
    if device is not None:
        return rights.region_of(state, device)
    user = state.users.get(raised.uid)
    region = user.region if user is not None else raised.region
    return region or state.settings.region
