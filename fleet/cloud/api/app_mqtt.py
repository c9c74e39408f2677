"""What the programs of users hear of their devices over MQTT, in the step in which it happens.

They hear the older forms of the push messages on devices (`fleet.cloud.push`), each encrypted for
the connection. Whose program hears what follows from the rights at that time: all who live with the
device, and the asset users who are authorized for the asset that it is in. Nothing is kept for a program that is not connected. Source: tuya/tuya-iot-python-sdk
(`tuya_iot/openmq.py`, `tuya_iot/device.py`).
"""

import msgspec

from fleet.cloud import rights
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.app_links import AppLink
from fleet.cloud.devices import Device
from fleet.cloud.keys import Entropy
from fleet.cloud.messages import PushRaised
from fleet.cloud.open.app_mqtt_crypto import envelope
from fleet.cloud.open.push_forms import LEGACY, told
from fleet.cloud.state import State


def tell(state: State, link: DeviceLink, entropy: Entropy, raised: PushRaised, now_ms: int) -> None:
    """Tell a happening to the programs that are to hear it and are connected."""
    device = state.devices.by_dev_id(raised.dev_id) if len(state.app_links) else None
    if device is None:
        return
    # As it was when it happened: later in the same step it may have lost its owner.
    then = msgspec.structs.replace(
        device, owner=raised.uid, region=raised.region, home=raised.home, space=raised.space
    )
    hearers = [
        one
        for uid in rights.users_of(state, then)
        for one in state.app_links.of_user(uid)
        if link.listening(one) and _may_hear(state, one, then, now_ms)
    ]
    messages = told(raised, LEGACY, now_ms) if hearers else []
    for one in hearers:
        for protocol, text in messages:
            plain = text.encode()
            link.tell_app(
                one, envelope(one.version, one.password, protocol, plain, now_ms, entropy), now_ms
            )


def end_those_over(state: State, link: DeviceLink, now_ms: int) -> None:
    """End the connections whose credentials are over."""
    for one in state.app_links.over(now_ms):
        link.end_app(one)


def _may_hear(state: State, one: AppLink, device: Device, now_ms: int) -> bool:
    """Tell whether a program of somebody who has to do with the device may hear of it still."""
    project = state.projects.get(one.access_id)
    assert project is not None, "projects are never removed"
    here = one.region == rights.region_of(state, device)
    return here and rights.lets_act(state, project, one.uid, now_ms)
