"""Keeps the sessions that outlive their connections, so that they outlive the process as well.

In memory such a session is a `Session` like any other; here is what of it is written, as changes of
the step in which they happen. So an acknowledgement is said only after its message is durable, and
a packet id is used only after it is known to whom it was given. That is what makes QoS 2 exactly
once over a `kill -9`.
"""

import itertools
from collections.abc import Iterator

import msgspec

from firmware_sim.wire import mqtt
from fleet.cloud.broker.limits import BrokerSettings
from fleet.cloud.broker.records import (
    GuestMessage,
    KeptReceipt,
    KeptSession,
    KeptSubscription,
    KeptWill,
)
from fleet.cloud.broker.session import Backlog, Sent, Session
from fleet.cloud.happenings import Directories, GuestLimits
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.settings import Settings


class Shelf:
    """The records of all kept sessions. Every session given to it is a lasting one."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored records."""
        self._settings = settings
        self._sessions: Ledger[KeptSession] = Ledger(KeptSession, load, journal)
        self._subscriptions: Ledger[KeptSubscription] = Ledger(KeptSubscription, load, journal)
        self._receipts: Ledger[KeptReceipt] = Ledger(KeptReceipt, load, journal)
        self._wills: Ledger[KeptWill] = Ledger(KeptWill, load, journal)
        self._messages: Ledger[GuestMessage] = Ledger(GuestMessage, load, journal)
        last = next(reversed(self._messages), None)
        self._ids = itertools.count(last.id + 1 if last is not None else 1)
        gone = sorted((s for s in self._sessions if s.left_ms), key=lambda s: s.left_ms)
        self.gone = {kept.client_id: kept.left_ms for kept in gone}  # who is away, and since when

    @property
    def full(self) -> bool:
        """Tell whether no further session can be kept."""
        return len(self._sessions) >= self._settings.mqtt_sessions_max

    # --- sessions -------------------------------------------------------------------------------

    def open(self, session: Session) -> None:
        """Keep a session from now on, or note that its client is there again."""
        self.gone.pop(session.client_id, None)
        self._sessions.put(KeptSession(session.client_id, session.username, 0))

    def leave(self, session: Session, now_ms: int) -> None:
        """Note that the client of a session is gone: its time runs."""
        self._sessions.put(KeptSession(session.client_id, session.username, now_ms))
        self.gone[session.client_id] = now_ms

    def begin(self, now_ms: int) -> None:
        """Let the time run of those who were connected when the last process was killed."""
        for kept in [kept for kept in self._sessions if not kept.left_ms]:
            self._sessions.put(msgspec.structs.replace(kept, left_ms=now_ms))
            self.gone[kept.client_id] = now_ms

    def end(self, session: Session) -> None:
        """Forget a session and all that was kept for it."""
        kept = self._sessions.get(session.client_id)
        assert kept is not None, "a lasting session is kept"
        self.gone.pop(session.client_id, None)
        self._sessions.remove(kept)
        for topic_filter in session.subscriptions:
            self.unsubscribe(session, topic_filter)
        for packet_id in session.received or ():
            self.settle(session, packet_id)
        for message in _messages_of(session):
            self.drop(message)

    def expired(self, now_ms: int) -> list[str]:
        """Return the client ids of sessions that nobody has come back to for too long."""
        life_ms = self._settings.mqtt_session_life_s * 1_000
        old = itertools.takewhile(lambda gone: gone[1] + life_ms <= now_ms, self.gone.items())
        return [client_id for client_id, _ in old]

    def next_expiry_ms(self) -> int | None:
        """Return when the next session will have been left alone for too long."""
        for left_ms in self.gone.values():
            return left_ms + self._settings.mqtt_session_life_s * 1_000
        return None

    # --- wills ----------------------------------------------------------------------------------

    def keep_will(self, session: Session, will: mqtt.Will) -> None:
        """Keep what a client has left to be said, as long as it is connected."""
        kept = KeptWill(
            session.client_id, session.username, will.topic, will.payload, will.qos, will.retain
        )
        self._wills.put(kept)

    def drop_will(self, client_id: str) -> None:
        """Forget a will: it is said, or its client took its leave."""
        kept = self._wills.get(client_id)
        assert kept is not None, "the will of a client that is connected is kept"
        self._wills.remove(kept)

    def last_words(self, directories: Directories) -> Iterator[tuple[Session, mqtt.Will]]:
        """Yield, and forget, the wills of those who were connected when the last process ended.

        The standard lets them be said that late where the server itself has failed
        [MQTT-3.1.2-8].
        """
        for kept in list(self._wills):
            self._wills.remove(kept)
            session = _away(kept.client_id, kept.username, 0, directories)
            yield session, mqtt.Will(kept.topic, kept.payload, kept.qos, kept.retain)

    # --- what belongs to one --------------------------------------------------------------------

    def subscribe(self, session: Session, topic_filter: str, qos: int) -> None:
        """Note a subscription."""
        self._subscriptions.put(KeptSubscription(session.client_id, topic_filter, qos))

    def unsubscribe(self, session: Session, topic_filter: str) -> None:
        """Forget a subscription."""
        kept = self._subscriptions.get((session.client_id, topic_filter))
        assert kept is not None, "a subscription of a lasting session is kept"
        self._subscriptions.remove(kept)

    def receive(self, session: Session, packet_id: int) -> None:
        """Note that a QoS 2 message came under this id."""
        self._receipts.put(KeptReceipt(session.client_id, packet_id))

    def settle(self, session: Session, packet_id: int) -> None:
        """Forget such an id: the client knows that its message came."""
        kept = self._receipts.get((session.client_id, packet_id))
        assert kept is not None, "a receipt of a lasting session is kept"
        self._receipts.remove(kept)

    def keep(self, message: GuestMessage, packet_id: int = 0) -> GuestMessage:
        """Keep a message, new or now under way as `packet_id`; return it as it is kept."""
        number = message.id or next(self._ids)
        return self._messages.put(msgspec.structs.replace(message, id=number, packet_id=packet_id))

    def move_back(self, message: GuestMessage) -> GuestMessage:
        """Let a changed message be repeated after all others that there are now."""
        self._messages.remove(message)
        return self._messages.put(msgspec.structs.replace(message, id=next(self._ids)))

    def drop(self, message: GuestMessage) -> None:
        """Forget a message, if it was kept."""
        if message.id:
            self._messages.remove(message)

    # --- after a restart ------------------------------------------------------------------------

    def restore(self, directories: Directories) -> Iterator[Session]:
        """Yield the sessions that were kept, without connections; those of nobody are forgotten."""
        found = {kept.client_id: _session_of(kept, directories) for kept in self._sessions}
        for subscription in self._subscriptions:
            session = found[subscription.client_id]
            session.subscriptions[subscription.topic_filter] = subscription.qos
        for receipt in self._receipts:
            session = found[receipt.client_id]
            session.received = {*(session.received or ()), receipt.packet_id}
        for message in self._messages:
            _put_back(found[message.client_id], message)
        for session in found.values():
            if session.directory is None or session.directory.guests is None:
                self.end(session)
            else:
                yield session


def _session_of(kept: KeptSession, directories: Directories) -> Session:
    session = _away(kept.client_id, kept.username, kept.left_ms, directories)
    session.lasting = True
    if session.backlog is None:  # whoever it was is no guest any more
        session.backlog = Backlog(GuestLimits())
    return session


def _away(client_id: str, username: str, left_ms: int, directories: Directories) -> Session:
    """Return the session of somebody who has no connection."""
    session = Session(0, BrokerSettings(), left_ms)
    session.client_id, session.username = client_id, username
    session.directory = directories.of(client_id, username)
    limits = session.directory.guests if session.directory is not None else None
    if limits is not None:
        session.backlog = Backlog(limits)
    return session


def _put_back(session: Session, message: GuestMessage) -> None:
    assert session.backlog is not None, "see above"
    session.backlog.size += len(message.payload)
    if message.packet_id:
        session.sent[message.packet_id] = Sent.of(message, 0)
    else:
        session.backlog.queue.append(message)


def _messages_of(session: Session) -> list[GuestMessage]:
    """Return all messages that a session was not sent, or did not acknowledge."""
    waiting = list(session.backlog.queue) if session.backlog is not None else []
    return waiting + [sent.message for sent in session.sent.values() if sent.message is not None]
