"""What the broker asks the cloud, and what it tells it: no sockets, no packets, only clients."""

from enum import StrEnum
from typing import Protocol

import msgspec


class Directory(Protocol):
    """Who may do what; asked at each CONNECT, SUBSCRIBE and PUBLISH."""

    def admit(self, client_id: str, username: str, password: bytes, now_ms: int, /) -> int:
        """Return a CONNACK code: 0 lets the client in. Missing credentials are empty."""
        ...

    def may_subscribe(self, client_id: str, topic: str, /) -> bool:
        """Return whether the client may hear what the cloud publishes on `topic`."""
        ...

    def may_publish(self, client_id: str, topic: str, /) -> bool:
        """Return whether the client may send to `topic`."""
        ...


class Gone(StrEnum):
    """Why a client is no longer connected."""

    DISCONNECTED = "disconnected"  # it said DISCONNECT
    LOST = "lost"  # its TCP connection ended
    TAKEN_OVER = "taken_over"  # a newer connection has its client id
    SILENT = "silent"  # nothing heard for 1.5 times the keep-alive
    UNACKNOWLEDGED = "unacknowledged"  # QoS 1 messages stayed without PUBACK
    BROKE_PROTOCOL = "broke_protocol"
    NOT_ITS_TOPIC = "not_its_topic"
    TOO_FAST = "too_fast"  # more packets in a second than one client may send


class Happening(msgspec.Struct, frozen=True, gc=False):
    """Base of what the broker tells the cloud; always about one client."""

    client_id: str


class ClientConnected(Happening, frozen=True):
    """The client's CONNECT was accepted."""


class ClientSubscribed(Happening, frozen=True):
    """The client hears `topic` from now on (again, if it did before)."""

    topic: str


class MessageReceived(Happening, frozen=True):
    """The client published to one of its topics."""

    topic: str
    payload: bytes

    def __repr__(self) -> str:
        """Show the size only: payloads carry keys."""
        return f"MessageReceived({self.client_id!r}, {self.topic!r}, {len(self.payload)} B)"


class Delivered(Happening, frozen=True):
    """The client acknowledged the QoS 1 message that was published with `tag`."""

    tag: str


class ClientGone(Happening, frozen=True):
    """The client is no longer connected. Not told after our own `Broker.disconnect`."""

    reason: Gone
