"""Who may connect to the broker and which topics are whose: the registry, as the broker sees it.

A device that is not activated connects as `acon_<uuid>` with a password made from its authKey, an
activated one as its device id with one made from its secKey
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/mqtt_service.c). CONNACK code 5 makes firmware ask
whether it was unbound, every other refusal makes it try again later; so 5 is for devices that
are unknown or revoked, and for a wrong authKey (tuya/TuyaOpen, issue 330).
"""

from firmware_sim.wire import mqtt_payload
from fleet.cloud.devices import ACTIVATION_CLIENT, Devices
from fleet.cloud.keys import secret_fits

ACCEPTED = 0
BAD_CREDENTIALS = 4
NOT_AUTHORIZED = 5


class DeviceDirectory:
    """Answers the broker out of the registry."""

    def __init__(self, devices: Devices) -> None:
        """Look devices up in `devices`."""
        self._devices = devices

    def admit(self, client_id: str, username: str, password: bytes, _now_ms: int) -> int:
        """Return the CONNACK code for a client's credentials."""
        given = password.decode("ascii", "replace")
        if client_id.startswith(ACTIVATION_CLIENT):
            device = self._devices.get(client_id.removeprefix(ACTIVATION_CLIENT))
            if device is None or not _fits(given, device.auth_key):
                return NOT_AUTHORIZED
        else:
            device = self._devices.by_dev_id(client_id)
            if device is None or not device.live:
                return NOT_AUTHORIZED
            if not _fits(given, device.sec_key):
                return BAD_CREDENTIALS
        return ACCEPTED if username == client_id else BAD_CREDENTIALS

    def may_subscribe(self, client_id: str, topic: str) -> bool:
        """Tell whether the client may hear `topic`."""
        if client_id.startswith(ACTIVATION_CLIENT):
            uuid = client_id.removeprefix(ACTIVATION_CLIENT)
            return topic == mqtt_payload.topic_activation(uuid)
        return topic in {
            mqtt_payload.topic_in(client_id),
            mqtt_payload.topic_rpc_response(client_id),
            mqtt_payload.topic_rpc_file(client_id),
        }

    def may_publish(self, client_id: str, topic: str) -> bool:
        """Tell whether the client may send to `topic`; one that is not activated may nowhere."""
        if client_id.startswith(ACTIVATION_CLIENT):
            return False
        return topic in {
            mqtt_payload.topic_out(client_id),
            mqtt_payload.topic_rpc_request(client_id),
        }


def _fits(given: str, key: str) -> bool:
    return secret_fits(given, mqtt_payload.mqtt_password(key))
