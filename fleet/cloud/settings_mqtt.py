"""Settings of MQTT: what guests of our broker may use, what is kept for them, and other brokers.

See `fleet.cloud.settings`, which has them all. Mosquitto's values are those of its manual page
mosquitto.conf(5) (mosquitto.org).
"""

from typing import Annotated, Literal

from msgspec import Meta

from fleet.cloud.settings_gate import GateSettings


class MqttSettings(GateSettings, frozen=True):
    """Choices about MQTT clients that are no devices."""

    mqtt_guests_max: Annotated[
        int, Meta(ge=0, description="Ours. MQTT clients with a name that are no devices.")
    ] = 100
    mqtt_guest_connections_max: Annotated[
        int,
        Meta(
            ge=1,
            description="Ours. Sessions of one such name, those included that wait for their "
            "client; more are refused (CONNACK 3).",
        ),
    ] = 20
    mqtt_guest_subscriptions_max: Annotated[
        int, Meta(ge=1, description="Ours. Topic filters of one session; more are refused.")
    ] = 100
    mqtt_guest_packet_size_max: Annotated[
        int, Meta(ge=16_384, description="Ours. Bytes of a packet of a guest; a device has 16,384.")
    ] = 262_144
    mqtt_guest_packets_per_s_max: Annotated[
        int, Meta(ge=100, description="Ours. Packets of a guest in a second; a device has 1,000.")
    ] = 20_000
    mqtt_guest_queue_max: Annotated[
        int,
        Meta(
            ge=1,
            description="Ours, as Mosquitto has it. Messages that one session was not sent or has "
            "not acknowledged; newer ones are dropped.",
        ),
    ] = 1_000
    mqtt_guest_queue_size_max: Annotated[
        int, Meta(ge=1, description="Ours. Bytes of those messages.")
    ] = 1_048_576
    mqtt_sessions_max: Annotated[
        int,
        Meta(
            ge=0,
            description="Ours. Sessions that outlive their connection; more are refused (CONNACK "
            "3). 0: there are none.",
        ),
    ] = 1_000
    mqtt_session_life_s: Annotated[
        int,
        Meta(
            ge=1,
            description="Ours (Mosquitto: for ever, unless told). Until such a session ends whose "
            "client does not come back.",
        ),
    ] = 7 * 86_400
    mqtt_retained_max: Annotated[
        int, Meta(ge=0, description="Ours. Retained messages; no further topic gets one.")
    ] = 10_000
    mqtt_retained_size_max: Annotated[
        int, Meta(ge=0, description="Ours. Bytes of all retained messages.")
    ] = 16_777_216
    broker_auth_secret: Annotated[
        str,
        Meta(
            description="Ours. Bearer secret of a broker that asks us who may connect and which "
            "topics are whose; empty closes these calls."
        ),
    ] = ""
    broker_auth_unknown: Annotated[
        Literal["deny", "ignore"],
        Meta(
            description="Ours. What it is told of MQTT clients that this cloud does not know; "
            "`ignore` leaves them to its next rule."
        ),
    ] = "deny"
    broker_roll_call: Annotated[
        bool,
        Meta(
            description="Ours. Whether a Mosquitto is made to send all devices away when the cloud "
            "connects to it, to learn who is there. Without, those who were there before count as "
            "offline until they say something."
        ),
    ] = True
    broker_waiting_clients: Annotated[
        bool,
        Meta(
            description="Ours. Whether a Mosquitto lets in devices that are not activated, which may "
            "be handed a token that way. Without, each device costs it half as much."
        ),
    ] = True
    broker_wait_ms: Annotated[
        int,
        Meta(
            ge=0,
            description="Ours; firmware waits 5 s. How long an answer is kept back until a Mosquitto "
            "knows the credentials in it; then the device is told to try again.",
        ),
    ] = 4_000
