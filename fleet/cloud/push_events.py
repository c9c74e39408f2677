"""What push consumers do, as events of the cloud, and what it wants of their connections.

A consumer is a WebSocket connection, named by `conn`. The edge (`fleet.cloud.edge.websocket`)
speaks WebSocket; the cloud sees whole text messages and decides who is let in.
"""

from firmware_sim.effects import Effect
from firmware_sim.events import Event


class ConsumerOpened(Event, frozen=True):
    """Somebody asks to become a consumer; answered by `AdmitConsumer` or `RefuseConsumer`.

    `target` is path and query as on the wire, the other texts are headers of the request, or "".
    """

    conn: int
    target: str
    host: str
    username: str
    password: str

    def __repr__(self) -> str:
        """Show what is asked for, never the password."""
        return f"ConsumerOpened({self.conn}, {self.target!r}, {self.username!r})"


class ConsumerReceived(Event, frozen=True):
    """Text messages arrived from a consumer."""

    conn: int
    texts: tuple[bytes, ...]


class ConsumerStalled(Event, frozen=True):
    """A consumer reads more slowly than it is sent to: nothing more until `ConsumerResumed`."""

    conn: int


class ConsumerResumed(Event, frozen=True):
    """A stalled consumer has read what it was sent."""

    conn: int


class ConsumerClosed(Event, frozen=True):
    """A consumer is gone. Not sent after our own `RefuseConsumer` or `CloseConsumer`."""

    conn: int


ConsumerEvent = (
    ConsumerOpened | ConsumerReceived | ConsumerStalled | ConsumerResumed | ConsumerClosed
)


class AdmitConsumer(Effect, frozen=True):
    """Accept the connection."""

    conn: int


class RefuseConsumer(Effect, frozen=True):
    """Answer the request with an HTTP status and a line of text, and close."""

    conn: int
    status: int
    text: str


class SendFrames(Effect, frozen=True):
    """Send text messages to a consumer."""

    conn: int
    texts: tuple[bytes, ...]

    def __repr__(self) -> str:
        """Show how many: they are what only the project shall read."""
        return f"SendFrames({self.conn}, {len(self.texts)} texts)"


class CloseConsumer(Effect, frozen=True):
    """End the connection at once: what it has not been sent yet is not sent any more.

    `code` and `text` are those of WebSocket's closing frame (RFC 6455, section 7.4.1).
    """

    conn: int
    code: int
    text: str
