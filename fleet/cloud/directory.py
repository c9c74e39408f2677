"""Who may connect to the broker and which topics are whose: one directory per kind of client.

A device that is not activated connects as `acon_<uuid>` with a password made from its authKey, an
activated one as its device id with one made from its secKey
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/mqtt_service.c). CONNACK code 5 makes firmware ask
whether it was unbound, every other refusal makes it try again later; so 5 is for devices that
are unknown or revoked, and for a wrong authKey (tuya/TuyaOpen, issue 330).
"""

from firmware_sim.wire import mqtt_payload
from fleet.cloud.brake import Brake
from fleet.cloud.devices import ACTIVATION_CLIENT, Devices
from fleet.cloud.guests import Guests
from fleet.cloud.happenings import GuestLimits
from fleet.cloud.keys import secret_fits, session_hash
from fleet.cloud.settings import Settings

ACCEPTED = 0
UNAVAILABLE = 3
BAD_CREDENTIALS = 4
NOT_AUTHORIZED = 5


class DeviceDirectory:
    """Devices, as the registry has them. A client id that is a device's is nobody else's."""

    guests: GuestLimits | None = None

    def __init__(self, devices: Devices) -> None:
        """Look devices up in `devices`."""
        self._devices = devices

    def claims(self, client_id: str, _username: str) -> bool:
        """Tell whether the client says to be a device."""
        return (
            client_id.startswith(ACTIVATION_CLIENT)
            or self._devices.by_dev_id(client_id) is not None
        )

    def admit(self, client_id: str, username: str, password: bytes, _now_ms: int) -> int:
        """Return the CONNACK code for a client's credentials."""
        given = password.decode("ascii", "replace")
        if client_id.startswith(ACTIVATION_CLIENT):
            device = self._devices.get(client_id.removeprefix(ACTIVATION_CLIENT))
            if device is None or not device.auth_key or not _fits(given, device.auth_key):
                return NOT_AUTHORIZED
        else:
            device = self._devices.by_dev_id(client_id)
            if device is None or not device.live:
                return NOT_AUTHORIZED
            if not _fits(given, device.sec_key):
                return BAD_CREDENTIALS
        return ACCEPTED if username == client_id else BAD_CREDENTIALS

    def may_subscribe(self, client_id: str, _username: str, topic_filter: str) -> bool:
        """Tell whether the client may hear `topic_filter`: a device's have no wildcards."""
        if client_id.startswith(ACTIVATION_CLIENT):
            uuid = client_id.removeprefix(ACTIVATION_CLIENT)
            return topic_filter == mqtt_payload.topic_activation(uuid)
        return topic_filter in {
            mqtt_payload.topic_in(client_id),
            mqtt_payload.topic_rpc_response(client_id),
            mqtt_payload.topic_rpc_file(client_id),
        }

    def may_publish(self, client_id: str, _username: str, topic: str) -> bool:
        """Tell whether the client may send to `topic`; one that is not activated may nowhere."""
        if client_id.startswith(ACTIVATION_CLIENT):
            return False
        return topic in {
            mqtt_payload.topic_out(client_id),
            mqtt_payload.topic_rpc_request(client_id),
        }


class GuestDirectory:
    """Guests of the broker: known by their user name, under any client id that is free."""

    def __init__(self, guests: Guests, brake: Brake, settings: Settings) -> None:
        """Look guests up in `guests`; `brake` slows down who tries passwords."""
        self._guests = guests
        self._brake = brake
        self._proven: dict[str, str] = {}  # by name, what the right password is known by
        self.guests: GuestLimits | None = GuestLimits(
            connections_max=settings.mqtt_guest_connections_max,
            packet_size_max=settings.mqtt_guest_packet_size_max,
            packets_per_s_max=settings.mqtt_guest_packets_per_s_max,
            subscriptions_max=settings.mqtt_guest_subscriptions_max,
            queue_max=settings.mqtt_guest_queue_max,
            queue_bytes_max=settings.mqtt_guest_queue_size_max,
        )

    def claims(self, _client_id: str, username: str) -> bool:
        """Tell whether there is a guest of this name."""
        return self._guests.get(username) is not None

    def admit(self, _client_id: str, username: str, password: bytes, now_ms: int) -> int:
        """Return the CONNACK code for a guest's password; after too many wrong ones UNAVAILABLE.

        One that was right before is found to be so at once: many sessions of a guest may come back
        at the same time, and nobody else is served while a slow hash is made.
        """
        given = password.decode("utf-8", "surrogateescape")
        guest = self._guests.get(username)
        kept = guest.password_hash if guest is not None else ""
        proof = session_hash(kept + given)  # and of no use once there is another password
        if not secret_fits(self._proven.get(username, ""), proof):
            if self._brake.wait_s(f"guest {username}", now_ms):
                return UNAVAILABLE
            if not self._guests.fits(username, given):
                self._brake.failed(f"guest {username}", now_ms)
                return BAD_CREDENTIALS
            self._proven[username] = proof
        return ACCEPTED

    def may_subscribe(self, _client_id: str, username: str, topic_filter: str) -> bool:
        """Tell whether one of the guest's filters covers another."""
        guest = self._guests.get(username)
        return guest is not None and guest.may_read(topic_filter)

    def may_publish(self, _client_id: str, username: str, topic: str) -> bool:
        """Tell whether one of the guest's filters matches a topic."""
        guest = self._guests.get(username)
        return guest is not None and guest.may_write(topic)


def _fits(given: str, key: str) -> bool:
    return secret_fits(given, mqtt_payload.mqtt_password(key))
