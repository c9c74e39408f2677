"""A failover subscription: one of several consumers is sent everything, the others wait.

The rules of one topic without its messages, which are only ids here: rising, offered once each.
Whatever the active consumer was sent and did not acknowledge goes back to the front when it leaves
("Messaging concepts", failover, pulsar.apache.org). `next_up` says what to send now.
"""

from collections import deque
from collections.abc import Iterable

import msgspec


class Shipment(msgspec.Struct, frozen=True, gc=False):
    """A message to send now, and how often it was sent before."""

    id: int
    redeliveries: int


class Member:
    """A consumer: sent at most `window` messages ahead, again after `ack_timeout_ms` (0: never)."""

    __slots__ = ("ack_timeout_ms", "acknowledged_ms", "conn", "stalled", "window")

    def __init__(self, conn: int, ack_timeout_ms: int, window: int) -> None:
        """Begin with nothing sent."""
        self.conn = conn
        self.ack_timeout_ms = ack_timeout_ms
        self.window = window
        self.stalled = False
        self.acknowledged_ms = -1  # when it acknowledged last


class _Sent(msgspec.Struct, frozen=True, gc=False):
    """When the active consumer was first sent a message, when it will be again, and how often."""

    first_ms: int
    due_ms: int | None
    tries: int


class FailoverQueue:
    """Who gets what next. `members` are in the order in which they came, the active one first."""

    __slots__ = ("_redeliveries", "_redeliveries_max", "_sent", "_unsent", "members")

    def __init__(self, ids: Iterable[int], redeliveries_max: int) -> None:
        """Owe the messages `ids`; nobody is here yet."""
        self.members: list[Member] = []
        self._redeliveries_max = redeliveries_max
        self._unsent = deque(ids)
        self._sent: dict[int, _Sent] = {}  # in the order in which they are due
        self._redeliveries: dict[int, int] = {}

    @property
    def under_way(self) -> int:
        """Return how many messages the active consumer was sent and has not acknowledged."""
        return len(self._sent)

    def join(self, member: Member) -> None:
        """Take a consumer; it waits unless it is alone."""
        self.members.append(member)

    def leave(self, conn: int) -> None:
        """Let a consumer go; with the active one, what it did not acknowledge is owed again."""
        if self.members[0].conn == conn:
            for message_id in self._sent:
                self._redeliveries[message_id] = self._redeliveries.get(message_id, 0) + 1
            self._unsent.extendleft(sorted(self._sent, reverse=True))
            self._sent.clear()
        self.members = [member for member in self.members if member.conn != conn]

    def offer(self, message_id: int) -> None:
        """Owe one more message."""
        self._unsent.append(message_id)

    def drop(self, message_id: int) -> None:
        """Owe a message no longer: the oldest of all."""
        self._redeliveries.pop(message_id, None)
        if self._sent.pop(message_id, None) is None:
            first = self._unsent.popleft()
            assert first == message_id, "the oldest is under way or the next to send"

    def acknowledge(self, conn: int, message_id: int, now_ms: int) -> bool:
        """Take a consumer's word that it has read a message; False when it has nothing to say."""
        if self.members[0].conn != conn or self._sent.pop(message_id, None) is None:
            return False
        self._redeliveries.pop(message_id, None)
        self.members[0].acknowledged_ms = now_ms
        return True

    def stall(self, conn: int, *, stalled: bool) -> None:
        """Note that a consumer can, or cannot, be sent to."""
        for member in self.members:
            if member.conn == conn:
                member.stalled = stalled

    def in_vain(self, now_ms: int) -> bool:
        """Tell whether the active consumer acknowledges nothing, however often it is sent to."""
        late = self._late(now_ms)
        if late is None or self._sent[late].tries <= self._redeliveries_max:
            return False
        return self.members[0].acknowledged_ms < self._sent[late].first_ms

    def next_up(self, now_ms: int, count_max: int) -> list[Shipment]:
        """Return up to so many messages that the active consumer is to be sent now, in order.

        First what it has had for too long, then what it has not had.
        """
        up: list[Shipment] = []
        while len(up) < count_max and (late := self._late(now_ms)) is not None:
            self._redeliveries[late] = self._redeliveries.get(late, 0) + 1
            up.append(self._send(late, now_ms, self._sent.pop(late)))
        while len(up) < count_max and self._has_room():
            up.append(self._send(self._unsent.popleft(), now_ms, None))
        return up

    def due_ms(self, now_ms: int) -> int | None:
        """Return when `next_up` has something to say; None until something else happens."""
        if self._has_room():
            return now_ms
        if not self._sent or self.members[0].stalled:
            return None
        return next(iter(self._sent.values())).due_ms

    def _send(self, message_id: int, now_ms: int, before: _Sent | None) -> Shipment:
        timeout_ms = self.members[0].ack_timeout_ms
        self._sent[message_id] = _Sent(
            first_ms=before.first_ms if before is not None else now_ms,
            due_ms=now_ms + timeout_ms if timeout_ms else None,
            tries=before.tries + 1 if before is not None else 1,
        )
        return Shipment(message_id, self._redeliveries.get(message_id, 0))

    def _late(self, now_ms: int) -> int | None:
        """Return what the active consumer has had longest, if that is too long."""
        if not self._sent or self.members[0].stalled:
            return None
        message_id, sent = next(iter(self._sent.items()))
        return message_id if sent.due_ms is not None and sent.due_ms <= now_ms else None

    def _has_room(self) -> bool:
        """Tell whether the active consumer can be sent something that it has not had."""
        if not self._unsent or not self.members:
            return False
        member = self.members[0]
        return not member.stalled and len(self._sent) < member.window
