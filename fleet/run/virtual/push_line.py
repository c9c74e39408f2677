"""The lines of push consumers to a virtual cloud: whole text messages both ways, each in order.

What WebSocket is on the HTTP port of a live cloud (`fleet.cloud.edge.websocket`): the cloud is told
the same events and asks for the same effects. A cloud that crashes loses all lines, and what is on
its way on a line that has ended does not arrive.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.runtime.virtual.agenda import Agenda
from fleet.cloud.push_events import (
    AdmitConsumer,
    CloseConsumer,
    ConsumerClosed,
    ConsumerEvent,
    ConsumerOpened,
    ConsumerReceived,
    RefuseConsumer,
    SendFrames,
)

TRIP_MS = 20


class Reader(Protocol):
    """A program that consumes push messages; called with the line it is meant for."""

    def took(self, line: int, texts: tuple[bytes, ...]) -> None:
        """Text messages arrive."""
        ...

    def lost(self, line: int) -> None:
        """The line is gone, or was refused."""
        ...


class Knock(msgspec.Struct, frozen=True):
    """What a consumer asks for: path and query, and the headers that say who it is."""

    target: str
    username: str
    password: str

    def __repr__(self) -> str:
        """Show what is asked for, never the password."""
        return f"Knock({self.target!r}, {self.username!r})"


class PushLines:
    """All lines of one virtual cloud; `handle(event)` tells the cloud, if `up()` says it is there."""

    def __init__(
        self,
        agenda: Agenda,
        up: Callable[[], bool],
        handle: Callable[[ConsumerEvent], None],
    ) -> None:
        """Start with nobody."""
        self._agenda = agenda
        self._up = up
        self._handle = handle
        self._readers: dict[int, Reader] = {}
        self._count = 0

    def hands(self) -> Mapping[type[Effect], Callable[[Any], None]]:
        """Return what carries out the cloud's wishes."""
        return {
            AdmitConsumer: _nothing,
            RefuseConsumer: self._end,
            SendFrames: self._send,
            CloseConsumer: self._end,
        }

    def open(self, reader: Reader, knock: Knock) -> int:
        """Set out for the cloud; return the number of the line."""
        self._count += 1
        self._readers[self._count] = reader
        self._agenda.after(TRIP_MS, self._knock, self._count, knock)
        return self._count

    def say(self, line: int, texts: tuple[bytes, ...]) -> None:
        """Send text messages."""
        self._agenda.after(TRIP_MS, self._say, line, texts)

    def close(self, line: int) -> None:
        """Hang up; what was said before arrives."""
        self._agenda.after(TRIP_MS, self._close, line)

    def lose_all(self) -> None:
        """Lose every line, because the cloud is gone."""
        for line in list(self._readers):
            self._lose(line)

    def _knock(self, line: int, knock: Knock) -> None:
        if not self._up():
            self._lose(line)
        elif line in self._readers:
            self._handle(ConsumerOpened(line, knock.target, "", knock.username, knock.password))

    def _say(self, line: int, texts: tuple[bytes, ...]) -> None:
        if line in self._readers:
            self._handle(ConsumerReceived(line, texts))

    def _close(self, line: int) -> None:
        if self._readers.pop(line, None) is not None:
            self._handle(ConsumerClosed(line))

    def _send(self, effect: SendFrames) -> None:
        self._agenda.after(TRIP_MS, self._arrive, effect.conn, effect.texts)

    def _arrive(self, line: int, texts: tuple[bytes, ...]) -> None:
        reader = self._readers.get(line)
        if reader is not None:
            reader.took(line, texts)

    def _end(self, effect: RefuseConsumer | CloseConsumer) -> None:
        self._lose(effect.conn)

    def _lose(self, line: int) -> None:
        reader = self._readers.pop(line, None)
        if reader is not None:
            self._agenda.after(TRIP_MS, reader.lost, line)


def _nothing(_: AdmitConsumer) -> None:
    """Whoever is let in is sent messages, and needs no other sign."""
