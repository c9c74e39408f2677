"""What can happen to a device: one frozen class per thing, named in the past tense.

These are the events that a *world* (live sockets, virtual time, a bench) tells a device. What a
device tells itself while it works them off lives in `firmware_sim.device.signals`.
"""

from enum import StrEnum

import msgspec


class Event(msgspec.Struct, frozen=True, gc=False):
    """Base of all events."""


class DeadlineReached(Event, frozen=True):
    """The time that the node named in `next_deadline_ms` has come."""


class ClockSet(Event, frozen=True):
    """The clock was set ahead by `by_ms`; whatever takes a time takes as long as before."""

    by_ms: int


# --- the hand of the operator -------------------------------------------------------------------


class PowerApplied(Event, frozen=True):
    """The supply voltage came on."""


class PowerRemoved(Event, frozen=True):
    """The supply voltage went away, at any instant and without warning."""


class ButtonPressed(Event, frozen=True):
    """A finger went down on the reset button."""


class ButtonReleased(Event, frozen=True):
    """The finger left the reset button."""


# --- network ------------------------------------------------------------------------------------


class LinkUp(Event, frozen=True):
    """The Ethernet link is up and the device owns the address `ip` (dotted quad)."""

    ip: str


class LinkDown(Event, frozen=True):
    """The network under the device is gone: cable pulled, or Wi-Fi lost."""


class JoinRefusal(StrEnum):
    """Why an access point did not take a station."""

    NO_SUCH_NETWORK = "wifi_not_found"
    WRONG_PASSWORD = "wifi_password"  # noqa: S105 - the name of a reason, not a secret


class WifiJoined(Event, frozen=True):
    """The access point accepted the station and gave it the address `ip` (dotted quad)."""

    ip: str


class WifiRefused(Event, frozen=True):
    """The access point refused the station, or none of that name was heard."""

    reason: JoinRefusal


# --- what is behind a gateway or a recorder; `number` counts its sub-devices from 0 ---------------


class ChildReached(Event, frozen=True):
    """A sub-device is in reach (again), and says so."""

    number: int


class ChildLost(Event, frozen=True):
    """A sub-device answers no more: it has no power, or is too far away."""

    number: int


class ChildJoined(Event, frozen=True):
    """Somebody at the gateway paired a sub-device with it."""

    number: int


class ChildLeft(Event, frozen=True):
    """Somebody at the gateway removed a sub-device from it."""

    number: int


# --- the lens -----------------------------------------------------------------------------------


class FrameDecoded(Event, frozen=True):
    """The decoder found a QR symbol in a frame of this device's own lens: its raw bytes."""

    text: bytes

    def __repr__(self) -> str:
        """Show the size only: codes carry a Wi-Fi password and a token."""
        return f"FrameDecoded({len(self.text)} B)"


# --- HTTP calls that the device made ------------------------------------------------------------


class HttpReplied(Event, frozen=True):
    """The reply to `SendHttp` number `call` arrived completely."""

    call: int
    status: int
    body: bytes

    def __repr__(self) -> str:
        """Show the size only."""
        return f"HttpReplied({self.call}, {self.status}, {len(self.body)} B)"


class HttpFailed(Event, frozen=True):
    """`SendHttp` number `call` got no usable reply: refused, reset, timed out or too large."""

    call: int
    reason: str


# --- the MQTT stream that the device opened -----------------------------------------------------


class MqttOpened(Event, frozen=True):
    """The TCP connection asked for by `OpenMqtt` stands."""


class MqttReceived(Event, frozen=True):
    """Bytes arrived on the MQTT connection, cut anywhere."""

    data: bytes

    def __repr__(self) -> str:
        """Show the size only."""
        return f"MqttReceived({len(self.data)} B)"


class MqttClosed(Event, frozen=True):
    """The MQTT connection is gone, or could not be made. Not sent after our own `CloseMqtt`.

    `fin`: the peer has merely ended its half of a plain TCP connection, which some firmware takes
    for silence.
    """

    reason: str
    fin: bool = False


# --- LAN clients that connected to the device (TCP 6668) ----------------------------------------


class LanOpened(Event, frozen=True):
    """A LAN client connected; `conn` names the connection from now on."""

    conn: int


class LanReceived(Event, frozen=True):
    """Bytes arrived from LAN client `conn`, cut anywhere."""

    conn: int
    data: bytes

    def __repr__(self) -> str:
        """Show the size only: frame 0x0C carries a token."""
        return f"LanReceived({self.conn}, {len(self.data)} B)"


class LanClosed(Event, frozen=True):
    """LAN client `conn` is gone. Not sent after our own `LanClose`."""

    conn: int


class DatagramReceived(Event, frozen=True):
    """A datagram for the whole LAN arrived on UDP `port`; one event may serve all devices."""

    port: int
    data: bytes

    def __repr__(self) -> str:
        """Show the size only."""
        return f"DatagramReceived({self.port}, {len(self.data)} B)"
