"""What the cloud asks of the broker that its devices use, be it our own or somebody else's.

A `Messenger` carries what is said, a `Doorkeeper` sees to it that whoever holds credentials is let
in. Our own broker (`fleet.cloud.broker`) asks the registry at each CONNECT; an external one
(`fleet.cloud.external`) has to be told in advance, or asks over HTTP.
"""

from collections.abc import Iterable
from typing import Protocol

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from fleet.cloud.happenings import Happening
from fleet.cloud.store.records import Change


class Messenger(Protocol):
    """Talks with MQTT clients; sans-IO, its effects go to `out` in order."""

    @property
    def clients(self) -> int:
        """Return how many clients are known to be connected."""
        ...

    def handle(self, event: Event, now_ms: int, out: list[Effect]) -> list[Happening]:
        """Take an event of its own, or the time; return what happened to clients, in order.

        What acknowledges something to a client is in `out` by then: a commit goes in front of it.
        """
        ...

    def next_deadline_ms(self) -> int | None:
        """Return when `DeadlineReached` is wanted next."""
        ...

    def publish(
        self, topic: str, payload: bytes, qos: int, tag: str, now_ms: int, out: list[Effect]
    ) -> bool:
        """Send a message; return whether somebody is there to hear it.

        That a client got one with a tag is told as `Delivered`, as far as that can be known.
        """
        ...

    def connected(self, client_id: str) -> bool:
        """Return whether the client is connected."""
        ...

    def disconnect(self, client_id: str, out: list[Effect]) -> None:
        """End the client's connection, if it has one; no `ClientGone` follows."""
        ...

    def review(self, username: str, now_ms: int, out: list[Effect]) -> None:
        """Let count what has changed about the guest of that name."""
        ...


class Doorkeeper(Protocol):
    """Keeps the broker's list of clients in step with the registry."""

    @property
    def takes_guests(self) -> bool:
        """Return whether guests that this cloud knows are let in."""
        ...

    def expect(self, client_id: str, otherwise: bytes) -> None:
        """Keep back the answer to the request of this step until the client would be let in.

        The answer hands out the client's credentials. When that takes too long, `otherwise` is said
        in its place, unless it is empty.
        """
        ...

    def conclude(self, changes: Iterable[Change], now_ms: int, out: list[Effect]) -> None:
        """Take the end of a step: what it changes, and in `out` what it says."""
        ...


class AskedAtConnect:
    """The doorkeeper of a broker that asks us about each client, and so needs none."""

    takes_guests = True

    def expect(self, client_id: str, otherwise: bytes) -> None:
        """Know that whoever has credentials is let in at once."""

    def conclude(self, changes: Iterable[Change], now_ms: int, out: list[Effect]) -> None:
        """Let the step go as it is."""
