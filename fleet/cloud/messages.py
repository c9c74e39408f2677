"""What can happen to the cloud, and what it asks its server to do.

The cloud is a node like a device (`firmware_sim.node`): the server in `fleet.cloud.edge.server`
turns sockets into these events and carries out these effects. `Commit` has a meaning that the
server must keep: effects that follow it, in this step and in all later ones, leave only after its
changes are durable. So whatever anybody was told survives a `kill -9` of the cloud.
"""

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from fleet.cloud.store.records import Change


class HttpRequested(Event, frozen=True):
    """A complete HTTP request arrived; `exchange` names it until its `SendReply`.

    `target` is path and query as on the wire, `authorization` the header of that name or "".
    """

    exchange: int
    method: str
    target: str
    authorization: str
    body: bytes

    def __repr__(self) -> str:
        """Show the path only: queries, headers and bodies carry signatures and secrets."""
        return f"HttpRequested({self.exchange}, {self.method} {self.target.partition('?')[0]})"


class StreamOpened(Event, frozen=True):
    """A client connected to the MQTT port; `conn` names the connection from now on."""

    conn: int


class StreamReceived(Event, frozen=True):
    """Bytes arrived on MQTT connection `conn`, cut anywhere."""

    conn: int
    data: bytes

    def __repr__(self) -> str:
        """Show the size only: CONNECT carries a password."""
        return f"StreamReceived({self.conn}, {len(self.data)} B)"


class StreamClosed(Event, frozen=True):
    """MQTT connection `conn` is gone. Not sent after our own `CloseStream`."""

    conn: int


class SendReply(Effect, frozen=True):
    """Answer HTTP request `exchange`; the body is JSON."""

    exchange: int
    status: int
    body: bytes

    def __repr__(self) -> str:
        """Show the size only: replies carry sessions, tokens and keys."""
        return f"SendReply({self.exchange}, {self.status}, {len(self.body)} B)"


class SendStream(Effect, frozen=True):
    """Write bytes to MQTT connection `conn`."""

    conn: int
    data: bytes

    def __repr__(self) -> str:
        """Show the size only."""
        return f"SendStream({self.conn}, {len(self.data)} B)"


class CloseStream(Effect, frozen=True):
    """Close MQTT connection `conn` after what was written."""

    conn: int


class Commit(Effect, frozen=True):
    """Make `changes` durable, all or none, before any effect that follows is carried out."""

    changes: tuple[Change, ...]

    def __repr__(self) -> str:
        """Show how much changes: records hold keys and password digests."""
        return f"Commit({len(self.changes)} changes)"


class PushRaised(Effect, frozen=True):
    """A message for the developers' push consumers, e.g. bizCode `delete` after an unbinding.

    `data` is the JSON of the message's bizData; the field names are the vendor's ("Message Types").
    """

    biz_code: str
    dev_id: str
    product_id: str
    data: bytes
