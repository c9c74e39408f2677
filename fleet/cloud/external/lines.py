"""What passes between an external broker's core and its edge: two connections, called lines.

The cloud is an ordinary client of the broker, twice: on the *control* line it learns who is there
and says who may come, on the *devices* line it talks with devices. Both are there, or none is.
"""

from enum import StrEnum

from firmware_sim.effects import Effect
from firmware_sim.events import Event


class Line(StrEnum):
    """One of the two connections. The session of the second outlives it, that of the first not."""

    CONTROL = "control"
    DEVICES = "devices"


class OutsideEvent(Event, frozen=True):
    """Base of what can happen between the cloud and an external broker."""


class LinesWanted(OutsideEvent, frozen=True):
    """The edge is ready: connections may be opened from now on."""


class LineUp(OutsideEvent, frozen=True):
    """A line is connected and has subscribed, but for the filters that were `refused`.

    `session` numbers the connections of this process; what is heard over one names it.
    """

    line: Line
    session: int
    refused: tuple[str, ...] = ()


class LineDown(OutsideEvent, frozen=True):
    """A line is lost, or could not be opened: `why` is for the operator. Not after `CloseLine`."""

    line: Line
    why: str


class LineHeard(OutsideEvent, frozen=True):
    """A message came over a line; `mid` is what its acknowledgement names, 0 for none."""

    line: Line
    session: int
    topic: str
    payload: bytes
    mid: int = 0

    def __repr__(self) -> str:
        """Show the size only: payloads carry keys."""
        return f"LineHeard({self.line.value}, {self.topic!r}, {len(self.payload)} B)"


class OpenLine(Effect, frozen=True):
    """Connect and subscribe, each filter with its QoS; answered by `LineUp` or `LineDown`.

    A `clean` line begins without what was meant for its client before.
    """

    line: Line
    client_id: str
    username: str
    password: str
    filters: tuple[tuple[str, int], ...]
    clean: bool

    def __repr__(self) -> str:
        """Show who connects, not the password."""
        return f"OpenLine({self.line.value}, {self.username!r})"


class CloseLine(Effect, frozen=True):
    """Disconnect, or stop trying to connect; `why` is for the operator."""

    line: Line
    why: str


class SayOnLine(Effect, frozen=True):
    """Publish a message; what cannot be sent any more is dropped."""

    line: Line
    topic: str
    payload: bytes
    qos: int

    def __repr__(self) -> str:
        """Show the size only: payloads carry keys and passwords."""
        return f"SayOnLine({self.line.value}, {self.topic!r}, {len(self.payload)} B)"


class AcknowledgeOnLine(Effect, frozen=True):
    """Acknowledge a message of the devices line, unless its connection is gone."""

    session: int
    mid: int


class BrokerPrepared(Effect, frozen=True):
    """The broker has been told all that it had to know at first: devices may come."""
