"""Messages on their way to clients: sent, acknowledged, sent again, or waiting for their turn.

A device is sent a message at once or not at all. A guest has a queue, bounded in number and bytes:
what does not fit is dropped, as the newest. It takes what it is sent at its own pace: after some
bytes the edge is asked to say when they are on their way, and until then nothing more is written.
So a guest that reads slowly costs what its queue may hold, and is not cut off.

Source: OASIS MQTT Version 3.1.1, sections 4.3 (delivery), 4.4 (again, with the same packet id) and
4.6 (in order).
"""

from collections import deque
from collections.abc import Callable

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.wire import mqtt
from fleet.cloud.broker.limits import BrokerSettings
from fleet.cloud.broker.meters import Meters
from fleet.cloud.broker.records import GuestMessage, RetainedMessage
from fleet.cloud.broker.retained import Retained
from fleet.cloud.broker.session import AWAITED, Backlog, Sent, Session
from fleet.cloud.broker.shelf import Shelf
from fleet.cloud.broker.topics import covers
from fleet.cloud.messages import ReportDrain, SendStream

QOS_MAX = 2
WINDOW = 32_768
"""Bytes that a guest is sent before it is waited for, if it takes them at all."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """An application message before it is known who gets it, and with which QoS."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False
    tag: str = ""


class Delivery:
    """Sends to sessions; `wake_by` has one looked at again by a time in ms."""

    def __init__(
        self,
        settings: BrokerSettings,
        shelf: Shelf,
        retained: Retained,
        meters: Meters,
        wake_by: Callable[[Session, int], None],
    ) -> None:
        """Count in `meters`; what waits for a lasting session is on the `shelf`."""
        self._settings = settings
        self._shelf = shelf
        self._retained = retained
        self._meters = meters
        self._wake_by = wake_by
        self.waiting = 0  # messages for guests, under way ones included
        self.waiting_bytes = 0

    # --- to a client ----------------------------------------------------------------------------

    def send(
        self, session: Session, message: Message, qos: int, now_ms: int, out: list[Effect]
    ) -> bool:
        """Send a message at `qos`, now or when it is its turn; False when there is no room."""
        backlog = session.backlog
        if backlog is not None:
            return self._offer(session, backlog, message, qos, now_ms, out)
        if qos == 0:
            packet = mqtt.encode(mqtt.Publish(message.topic, message.payload, 0, 0, message.retain))
        elif len(session.sent) >= self._settings.inflight_max:
            self._meters.publish_dropped += 1
            return False
        else:
            packet_id = session.next_packet_id()
            packet = mqtt.encode(
                mqtt.Publish(message.topic, message.payload, qos, packet_id, message.retain)
            )
            session.sent[packet_id] = Sent(packet, message.tag, now_ms, awaits=AWAITED[qos])
            self._wake_by(session, now_ms + self._settings.resend_after_ms)
        meters = self._meters
        meters.publish_sent += 1
        meters.publish_bytes_sent += len(message.payload)
        meters.messages_sent += 1
        meters.bytes_sent += len(packet)
        out.append(SendStream(session.conn, packet))
        return True

    def send_retained(
        self,
        session: Session,
        found: list[RetainedMessage],
        topic_filter: str,
        qos: int,
        now_ms: int,
        out: list[Effect],
    ) -> None:
        """Send what was found retained for a filter that a session has been granted at `qos`.

        A guest is sent it at its own pace: there may be more than it has room for.
        """
        for kept in found:
            if session.backlog is None:
                self._send_kept(session, kept, qos, now_ms, out)
            else:
                session.backlog.retained[kept.topic] = topic_filter, qos
        self.pump(session, now_ms, out)

    def _send_kept(
        self, session: Session, kept: RetainedMessage, qos: int, now_ms: int, out: list[Effect]
    ) -> None:
        message = Message(kept.topic, kept.payload, kept.qos, retain=True)  # [MQTT-3.3.1-8]
        self.send(session, message, min(kept.qos, qos), now_ms, out)

    def write(self, session: Session, packet: bytes, out: list[Effect]) -> None:
        """Send the bytes of one packet."""
        meters, backlog = self._meters, session.backlog
        meters.messages_sent += 1
        meters.bytes_sent += len(packet)
        if backlog is not None:
            backlog.unread += len(packet)
            if backlog.unread > WINDOW and not backlog.waiting:
                backlog.waiting = True
                out.append(ReportDrain(session.conn))
        out.append(SendStream(session.conn, packet))

    def _offer(
        self,
        session: Session,
        backlog: Backlog,
        message: Message,
        qos: int,
        now_ms: int,
        out: list[Effect],
    ) -> bool:
        size = len(message.payload)
        if qos == 0 and not session.conn:
            return False
        if not _fits(session, backlog, size):
            self._meters.publish_dropped += 1
            return False
        letter = GuestMessage(
            id=0,
            client_id=session.client_id,
            packet_id=0,
            topic=message.topic,
            payload=message.payload,
            qos=qos,
            retain=message.retain,
            released=False,
        )
        backlog.size += size
        self.waiting += 1
        self.waiting_bytes += size
        if session.conn and not backlog.queue and self._has_room(session, backlog, qos):
            self._post(session, backlog, letter, now_ms, out)
        else:
            if qos and session.lasting:
                letter = self._shelf.keep(letter)
            backlog.queue.append(letter)
        return True

    def _has_room(self, session: Session, backlog: Backlog, qos: int) -> bool:
        if backlog.waiting:
            return False
        return qos == 0 or len(session.sent) < self._settings.inflight_max

    def _post(
        self,
        session: Session,
        backlog: Backlog,
        letter: GuestMessage,
        now_ms: int,
        out: list[Effect],
    ) -> None:
        self._meters.publish_sent += 1
        self._meters.publish_bytes_sent += len(letter.payload)
        if letter.qos == 0:
            self._forget(backlog, letter)
            packet = mqtt.encode(mqtt.Publish(letter.topic, letter.payload, 0, 0, letter.retain))
            self.write(session, packet, out)
            return
        packet_id = session.next_packet_id()
        if session.lasting:
            letter = self._shelf.keep(letter, packet_id)
        else:
            letter = msgspec.structs.replace(letter, packet_id=packet_id)
        sent = session.sent[packet_id] = Sent.of(letter, now_ms)
        self._wake_by(session, now_ms + self._settings.resend_after_ms)
        self.write(session, sent.packet, out)

    # --- its answers ----------------------------------------------------------------------------

    def finish(
        self, session: Session, packet_id: int, answer: int, now_ms: int, out: list[Effect]
    ) -> Sent | None:
        """Take PUBACK or PUBCOMP (`answer`: its first byte); return what has been delivered by it.

        None for what nobody waits for: the second answer to what was sent twice.
        """
        sent = session.sent.get(packet_id)
        if sent is None or sent.awaits != answer:
            return None
        session.note_answer(packet_id, now_ms)
        del session.sent[packet_id]
        if session.backlog is not None and sent.message is not None:
            self._forget(session.backlog, sent.message)
            if session.lasting:
                self._shelf.drop(sent.message)
            self.pump(session, now_ms, out)
        return sent

    def release(self, session: Session, packet_id: int, now_ms: int, out: list[Effect]) -> None:
        """Take PUBREC and answer PUBREL: the client has the message, and must never get it again.

        An id that is not known is released as well, for the client to be rid of it.
        """
        packet = mqtt.encode(mqtt.Pubrel(packet_id))
        sent = session.sent.get(packet_id)
        if sent is not None and sent.awaits == mqtt.Pubrec.HEAD:
            session.note_answer(packet_id, now_ms)
            del session.sent[packet_id]
            message = sent.message
            if message is not None:
                self._lighten(session.backlog, message)
                message = msgspec.structs.replace(message, payload=b"", released=True)
                message = self._shelf.move_back(message) if session.lasting else message
            # At the end: PUBRELs go in the order of their PUBRECs, also when repeated
            # [MQTT-4.6.0-4].
            session.sent[packet_id] = Sent(
                packet, sent.tag, now_ms, awaits=mqtt.Pubcomp.HEAD, message=message
            )
        self.write(session, packet, out)

    # --- time and connections -------------------------------------------------------------------

    def drained(self, session: Session, now_ms: int, out: list[Effect]) -> None:
        """Go on with a guest that has taken what it was sent."""
        if session.backlog is not None:
            session.backlog.unread, session.backlog.waiting = 0, False
            self.pump(session, now_ms, out)

    def resume(self, session: Session, now_ms: int, out: list[Effect]) -> None:
        """Send a session's new connection what the last one did not acknowledge [MQTT-4.4.0-1]."""
        if session.backlog is not None:
            session.backlog.unread, session.backlog.waiting = 0, False
            session.backlog.again.extend(session.sent)
            for sent in session.sent.values():
                sent.sent_ms, sent.resends = now_ms, 0
            if session.sent:
                self._wake_by(session, now_ms + self._settings.resend_after_ms)
            self.pump(session, now_ms, out)

    def suspend(self, session: Session) -> None:
        """Let what a session has to be sent wait for its next connection; QoS 0 does not wait."""
        if session.backlog is not None:
            session.backlog.again.clear()
            self._thin_out(session.backlog, lambda letter: letter.qos > 0)

    def withdraw(self, session: Session, allowed: Callable[[str], bool]) -> None:
        """Take back what waits for a session, has not been sent, and has a topic that is not allowed.

        What is under way already goes on: packet ids of QoS 2 belong to both sides.
        """
        if session.backlog is not None:
            self._thin_out(session.backlog, lambda letter: allowed(letter.topic))

    def adopt(self, session: Session) -> None:
        """Count what a session has to be sent that was kept over a restart."""
        if session.backlog is not None:
            self.waiting += len(session.backlog.queue) + len(session.sent)
            self.waiting_bytes += session.backlog.size

    def drop_all(self, session: Session) -> None:
        """Forget everything that a session was to be sent: it ends."""
        backlog = session.backlog
        if backlog is not None:
            self.waiting -= len(backlog.queue) + len(session.sent)
            self.waiting_bytes -= backlog.size
            backlog.queue.clear()
            backlog.retained.clear()
            backlog.size = 0
        session.sent.clear()

    def pump(self, session: Session, now_ms: int, out: list[Effect]) -> None:
        """Send a guest what is its turn: what is repeated, what waits, what it asked for."""
        backlog = session.backlog
        if backlog is None or not session.conn:
            return
        while backlog.again and not backlog.waiting:
            sent = session.sent.get(backlog.again.popleft())
            if sent is not None:
                self.write(session, sent.again(now_ms), out)
        while backlog.queue and self._has_room(session, backlog, backlog.queue[0].qos):
            self._post(session, backlog, backlog.queue.popleft(), now_ms, out)
        while backlog.retained and not backlog.queue and self._has_room(session, backlog, QOS_MAX):
            topic, (topic_filter, qos) = next(iter(backlog.retained.items()))
            kept = self._retained.get(topic)
            if kept and session.sent and not _fits(session, backlog, len(kept.payload)):
                return  # there will be room when what is under way has been acknowledged
            del backlog.retained[topic]
            if kept is not None and _wants(session, topic, topic_filter):
                self._send_kept(session, kept, qos, now_ms, out)

    def repeat(self, session: Session, now_ms: int, out: list[Effect]) -> bool:
        """Send again what is not acknowledged for too long; False when the client ignores us."""
        overdue = session.overdue(self._settings, now_ms)
        if overdue is None:
            return False
        for packet_id in overdue:
            packet = session.sent[packet_id].again(now_ms)
            if session.backlog is None or not session.backlog.waiting:
                self.write(session, packet, out)
        return True

    # --- details --------------------------------------------------------------------------------

    def _thin_out(self, backlog: Backlog, stays: Callable[[GuestMessage], bool]) -> None:
        queue, backlog.queue = backlog.queue, deque[GuestMessage]()
        for letter in queue:
            if stays(letter):
                backlog.queue.append(letter)
            else:
                self._forget(backlog, letter)
                self._shelf.drop(letter)

    def _forget(self, backlog: Backlog, letter: GuestMessage) -> None:
        self.waiting -= 1
        self._lighten(backlog, letter)

    def _lighten(self, backlog: Backlog | None, letter: GuestMessage) -> None:
        if backlog is not None:
            backlog.size -= len(letter.payload)
            self.waiting_bytes -= len(letter.payload)


def _fits(session: Session, backlog: Backlog, size: int) -> bool:
    """Return whether a guest has room for one message more, of `size` bytes."""
    return (
        len(backlog.queue) + len(session.sent) < backlog.limits.queue_max
        and backlog.size + size <= backlog.limits.queue_bytes_max
    )


def _wants(session: Session, topic: str, topic_filter: str) -> bool:
    """Return whether a session still hears a topic that it once asked for with a filter."""
    filters = session.subscriptions
    return topic_filter in filters or any(covers(other, topic) for other in filters)
