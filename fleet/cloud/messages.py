"""What can happen to the cloud, and what it asks its server to do.

The cloud is a node like a device (`firmware_sim.node`): the server in `fleet.cloud.edge.server`
turns sockets into these events and carries out these effects. `Commit` has a meaning that the
server must keep: effects that follow it, in this step and in all later ones, leave only after its
changes are durable. So whatever anybody was told survives a `kill -9` of the cloud.
"""

from collections.abc import Mapping

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from fleet.cloud.store.records import Change


class HttpRequested(Event, frozen=True):
    """A complete HTTP request arrived; `exchange` names it until its `SendReply`.

    `target` is path and query as on the wire. `headers` are those that the cloud reads, by name in
    lower case, as Latin-1 text; the edge adds `x-peer-ip`, the address of the caller. A body that
    is `too_large` is not there.
    """

    exchange: int
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    too_large: bool = False

    @property
    def authorization(self) -> str:
        """Return the header of that name, or ""."""
        return self.headers.get("authorization", "")

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


class StreamDrained(Event, frozen=True):
    """What had been written to MQTT connection `conn` is on its way: the answer to `ReportDrain`."""

    conn: int


class ClockMoved(Event, frozen=True):
    """The clock was sent ahead by `by_ms`: nobody was silent for that long, it was not there."""

    by_ms: int


JSON = (("content-type", "application/json"),)


class SendReply(Effect, frozen=True):
    """Answer HTTP request `exchange`; `headers` are names in lower case and ASCII texts."""

    exchange: int
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = JSON

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


class ReportDrain(Effect, frozen=True):
    """Say `StreamDrained` once MQTT connection `conn` has taken what was written to it.

    What is written in the rest of the step belongs to it. Until then the connection is not cut off
    for being slow.
    """

    conn: int


class Commit(Effect, frozen=True):
    """Make `changes` durable, all or none, before any effect that follows is carried out."""

    changes: tuple[Change, ...]

    def __repr__(self) -> str:
        """Show how much changes: records hold keys and password digests."""
        return f"Commit({len(self.changes)} changes)"


class CoreForm(msgspec.Struct, frozen=True, gc=False):
    """A push message as the IoT Core family tells it: `data` is the JSON of its bizData."""

    protocol: int
    biz_code: str
    data: bytes


class PushRaised(Effect, frozen=True):
    """A message for the developers' push consumers, e.g. bizCode `delete` after an unbinding.

    `data` is the JSON object that goes with `protocol` in the older form: the bizData of a device
    event (20), or the fields of a status report (4); empty when there is no older form. `core` is
    the same in the IoT Core form, if it has one. Field names are the vendor's ("Message Types",
    developer.tuya.com).

    Whom it concerned when it happened decides who hears of it. On a device, that is its owner `uid`
    in data centre `region` ("": the server's own), and whoever is in its `home` and `space`;
    `schema` names the owner's app only when the owner is forgotten in the same step. Anything else
    has no `dev_id`: it concerns the consumer `uid` of app `schema`, and names the `region` only when
    the consumer is forgotten.
    """

    biz_code: str
    dev_id: str
    product_id: str
    data: bytes
    protocol: int = 20
    uid: str = ""
    schema: str = ""
    region: str = ""
    core: CoreForm | None = None
    home: str = ""
    space: str = ""


class TellOperator(Effect, frozen=True):
    """Show whoever runs the cloud one line, without secrets.

    Nothing in it was written by a peer but the name of a call, if that is of plain characters.
    """

    line: str
