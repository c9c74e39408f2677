"""What the broker asks the cloud, and what it tells it: no sockets, no packets, only clients."""

from enum import StrEnum
from typing import Protocol

import msgspec


class GuestLimits(msgspec.Struct, frozen=True):
    """What one client may use of the broker that is not a device; all of it is bounded."""

    connections_max: int = 20  # with the same user name, sessions that wait for it included
    packet_size_max: int = 262_144
    packets_per_s_max: int = 20_000
    subscriptions_max: int = 100
    queue_max: int = 1_000  # messages that it was not sent or did not acknowledge, and of QoS 2
    # those that it began and did not release
    queue_bytes_max: int = 1_048_576


class Directory(Protocol):
    """One kind of clients: which are of this kind, who may connect, and what each may do.

    A client is named by its client id and user name. Asked at each CONNECT, SUBSCRIBE and PUBLISH.
    """

    @property
    def guests(self) -> GuestLimits | None:
        """Return the limits of clients that are guests of the broker; None when they are not.

        Of a guest the cloud is told nothing, and it may leave something behind: a session, messages
        that wait for it, retained messages. Any other client is one that the cloud talks with: what
        it says comes out as happenings, and nothing of it is kept when it is gone.
        """
        ...

    def claims(self, client_id: str, username: str, /) -> bool:
        """Return whether the client is of this kind, whatever its password is."""
        ...

    def admit(self, client_id: str, username: str, password: bytes, now_ms: int, /) -> int:
        """Return a CONNACK code: 0 lets the client in. Missing credentials are empty."""
        ...

    def may_subscribe(self, client_id: str, username: str, topic_filter: str, /) -> bool:
        """Return whether the client may hear everything that `topic_filter` matches."""
        ...

    def may_publish(self, client_id: str, username: str, topic: str, /) -> bool:
        """Return whether the client may send to `topic`."""
        ...


class Directories:
    """All kinds of clients in order: the first one that claims a client decides."""

    __slots__ = ("_directories",)

    def __init__(self, *directories: Directory) -> None:
        """Ask `directories` in this order."""
        self._directories = directories

    def of(self, client_id: str, username: str) -> Directory | None:
        """Return who decides about a client; None when nobody knows it."""
        for directory in self._directories:
            if directory.claims(client_id, username):
                return directory
        return None


class Gone(StrEnum):
    """Why a client is no longer connected."""

    DISCONNECTED = "disconnected"  # it said DISCONNECT
    LOST = "lost"  # its TCP connection ended
    TAKEN_OVER = "taken_over"  # a newer connection has its client id
    SILENT = "silent"  # nothing heard for 1.5 times the keep-alive
    UNACKNOWLEDGED = "unacknowledged"  # messages stayed without their acknowledgement
    BROKE_PROTOCOL = "broke_protocol"
    NOT_ITS_TOPIC = "not_its_topic"
    TOO_FAST = "too_fast"  # more packets in a second than one client may send
    SENT_AWAY = "sent_away"  # by whoever runs the broker, or by us


class Happening(msgspec.Struct, frozen=True, gc=False):
    """Base of what the broker tells the cloud; always about one client that is no guest."""

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
    """The client acknowledged the message that was published with `tag`."""

    tag: str


class ClientGone(Happening, frozen=True):
    """The client is no longer connected. Not told after our own `Broker.disconnect`."""

    reason: Gone
