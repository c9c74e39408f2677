"""What a node asks the world to do: one frozen class per wish, named in the imperative.

A world carries them out in the order in which they were returned. `SaveFlash` comes before
everything that depends on it, so that whatever a device has told anybody survives its power cut.
"""

import msgspec


class Effect(msgspec.Struct, frozen=True, gc=False):
    """Base of all effects."""


# --- network ------------------------------------------------------------------------------------


class JoinWifi(Effect, frozen=True):
    """Try to join an access point; answered by `WifiJoined` or `WifiRefused`."""

    ssid: str
    password: str

    def __repr__(self) -> str:
        """Show the network, never the password: effects are logged."""
        return f"JoinWifi(ssid={self.ssid!r}, password=***)"


class LeaveWifi(Effect, frozen=True):
    """Drop the station's association, if any, and any join under way."""


class SendHttp(Effect, frozen=True):
    """POST `body` on a connection of its own; answered by `HttpReplied` or `HttpFailed`.

    With an `anchor` (a certificate, DER) it goes over TLS to a server that this one vouches for.
    """

    call: int
    host: str
    port: int
    target: str
    body: bytes
    reply_size_max: int
    anchor: bytes = b""

    def __repr__(self) -> str:
        """Show the request line only: bodies carry keys and tokens."""
        return f"SendHttp({self.call}, {self.host}:{self.port}{self.target.partition('?')[0]})"


class OpenMqtt(Effect, frozen=True):
    """Open a connection to the broker; answered by `MqttOpened` or `MqttClosed`.

    With an `anchor` (a certificate, DER) it is TLS to a server that this one vouches for.
    """

    host: str
    port: int
    anchor: bytes = b""

    def __repr__(self) -> str:
        """Show where to, and whether it is encrypted."""
        return f"OpenMqtt({self.host}:{self.port}{', TLS' if self.anchor else ''})"


class SendMqtt(Effect, frozen=True):
    """Write bytes to the MQTT connection."""

    data: bytes

    def __repr__(self) -> str:
        """Show the size only: CONNECT carries a password."""
        return f"SendMqtt({len(self.data)} B)"


class CloseMqtt(Effect, frozen=True):
    """Close the MQTT connection after what was written, if one is open or being opened."""


class Broadcast(Effect, frozen=True):
    """Send a datagram to the broadcast address of the device's LAN, from its own address."""

    port: int
    data: bytes


class SendDatagram(Effect, frozen=True):
    """Send a datagram to one address, from the device's own address and the same port number."""

    ip: str
    port: int
    data: bytes

    def __repr__(self) -> str:
        """Show where to and the size."""
        return f"SendDatagram({self.ip}:{self.port}, {len(self.data)} B)"


class OpenLan(Effect, frozen=True):
    """Accept LAN clients on TCP `port` of the device's own address, and hear LAN solicitations."""

    port: int


class CloseLan(Effect, frozen=True):
    """Stop accepting LAN clients, close all connections, hear no more solicitations."""


class LanSend(Effect, frozen=True):
    """Write bytes to LAN client `conn`, as one segment."""

    conn: int
    data: bytes

    def __repr__(self) -> str:
        """Show the size only."""
        return f"LanSend({self.conn}, {len(self.data)} B)"


class LanClose(Effect, frozen=True):
    """Close LAN client `conn` after what was written."""

    conn: int


# --- the device's own parts ---------------------------------------------------------------------


class SaveFlash(Effect, frozen=True):
    """Make `image` the contents of the flash, now and across power cuts."""

    image: bytes

    def __repr__(self) -> str:
        """Show the size only: flash holds keys."""
        return f"SaveFlash({len(self.image)} B)"


class OpenLens(Effect, frozen=True):
    """Start taking frames and decoding them; symbols come back as `FrameDecoded`."""


class CloseLens(Effect, frozen=True):
    """Stop taking frames."""


class SoundTone(Effect, frozen=True):
    """Play prompt tone `tone` (1 or 2, as in the vendor's tone and light specification)."""

    tone: int


# --- what an observer sees ----------------------------------------------------------------------


class StateShown(Effect, frozen=True):
    """The device entered a state; the light shows `light` (a pattern name of its profile)."""

    lifecycle: str
    session: str
    light: str
    operator: str
    cause: str


class Noted(Effect, frozen=True):
    """Something an observer should know and no state shows: a peer's mistake, a refusal, a retry.

    `kind` is a short code (`bad_qr`, `activation_refused`, ...), `detail` has no secrets.
    """

    kind: str
    detail: str
