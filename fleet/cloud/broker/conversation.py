"""What each packet of a client that is in asks for, and what it is answered.

Source: OASIS MQTT Version 3.1.1, section 3; the numbers of its conformance statements are in the
comments of the line that keeps them. An act returns why the connection has to end, or None.
"""

from collections.abc import Callable
from typing import Any

from firmware_sim.effects import Effect
from firmware_sim.wire import mqtt
from fleet.cloud.broker.delivery import Delivery, Message
from fleet.cloud.broker.hub import Hub
from fleet.cloud.broker.limits import BrokerSettings
from fleet.cloud.broker.meters import BRIDGES, SYS, Meters
from fleet.cloud.broker.session import Session
from fleet.cloud.broker.shelf import Shelf
from fleet.cloud.happenings import ClientSubscribed, Delivered, Gone, Happening, MessageReceived

SEARCHES_PER_S_MIN = 4
"""Filters that a client may subscribe to in a second, however much is retained."""

_Act = Callable[[Session, Any, int, list[Effect]], Gone | None]


class Conversation:
    """The acts, by class of packet; what the cloud has to know of them is added to `happened`."""

    def __init__(
        self, settings: BrokerSettings, hub: Hub, delivery: Delivery, shelf: Shelf, meters: Meters
    ) -> None:
        """Work on the broker's parts."""
        self._settings = settings
        self._hub = hub
        self._delivery = delivery
        self._shelf = shelf
        self._meters = meters
        self.happened: list[Happening] = []
        self.acts: dict[type, _Act] = {
            mqtt.Publish: self._on_publish,
            mqtt.Puback: self._on_puback,
            mqtt.Pubrec: self._on_pubrec,
            mqtt.Pubrel: self._on_pubrel,
            mqtt.Pubcomp: self._on_pubcomp,
            mqtt.Subscribe: self._on_subscribe,
            mqtt.Unsubscribe: self._on_unsubscribe,
            mqtt.Pingreq: self._on_pingreq,
            mqtt.Disconnect: self._on_disconnect,
        }

    def say(self, session: Session, packet: mqtt.Packet, out: list[Effect]) -> None:
        """Send a client an answer."""
        self._delivery.write(session, mqtt.encode(packet), out)

    def publish_will(
        self, session: Session, will: mqtt.Will, now_ms: int, out: list[Effect]
    ) -> None:
        """Publish the will of a client that is gone, if it may [MQTT-3.1.2-8, 3.1.2-16, 3.1.2-17]."""
        if self._may_publish(session, will.topic):
            self._pass_on(
                session,
                mqtt.Publish(will.topic, will.payload, will.qos, 0, will.retain),
                now_ms,
                out,
            )

    def may_subscribe(self, session: Session, topic_filter: str) -> bool:
        """Return whether a client may hear a filter."""
        directory = session.directory
        return directory is not None and directory.may_subscribe(
            session.client_id, session.username, topic_filter
        )

    # --- messages of clients --------------------------------------------------------------------

    def _on_publish(
        self, session: Session, packet: mqtt.Publish, now_ms: int, out: list[Effect]
    ) -> Gone | None:
        # To be taken and dropped is the other end that [MQTT-3.3.5-2] leaves to a message.
        dropped = session.backlog is not None and packet.topic.startswith(BRIDGES)
        if not dropped and not self._may_publish(session, packet.topic):
            return Gone.NOT_ITS_TOPIC
        if packet.qos == 1:
            self.say(session, mqtt.Puback(packet.packet_id), out)  # [MQTT-4.3.2-2]
        elif packet.qos == 2:
            if session.received is None:
                session.received = set()
            again = packet.packet_id in session.received
            if not again and len(session.received) >= self._receipts_max(session):
                return Gone.BROKE_PROTOCOL
            self.say(session, mqtt.Pubrec(packet.packet_id), out)  # [MQTT-4.3.3-2]
            if again:  # taken already, and not passed on twice
                return None
            session.received.add(packet.packet_id)
            if session.lasting:
                self._shelf.receive(session, packet.packet_id)
        self._meters.publish_received += 1
        self._meters.publish_bytes_received += len(packet.payload)
        if not dropped:
            self._pass_on(session, packet, now_ms, out)
        return None

    def _receipts_max(self, session: Session) -> int:
        """Return how many QoS 2 messages a client may begin and not release.

        MQTT names no number, and some clients begin all that they have to say.
        """
        backlog = session.backlog
        return self._settings.inflight_max if backlog is None else backlog.limits.queue_max

    def _pass_on(
        self, session: Session, packet: mqtt.Publish, now_ms: int, out: list[Effect]
    ) -> None:
        if session.backlog is None:
            self.happened.append(MessageReceived(session.client_id, packet.topic, packet.payload))
        elif packet.retain:  # [MQTT-3.3.1-5]
            self._hub.retain(packet.topic, packet.payload, packet.qos)
        self._hub.publish(Message(packet.topic, packet.payload, packet.qos), now_ms, out)

    def _may_publish(self, session: Session, topic: str) -> bool:
        directory = session.directory
        if session.backlog is not None and (self._too_large(topic) or topic.startswith(SYS)):
            return False
        return directory is not None and directory.may_publish(
            session.client_id, session.username, topic
        )

    def _on_pubrel(
        self, session: Session, packet: mqtt.Pubrel, _now_ms: int, out: list[Effect]
    ) -> Gone | None:
        received = session.received
        if received is not None and packet.packet_id in received:
            received.remove(packet.packet_id)
            if session.lasting:
                self._shelf.settle(session, packet.packet_id)
        self.say(session, mqtt.Pubcomp(packet.packet_id), out)
        return None

    # --- messages to clients --------------------------------------------------------------------

    def _on_puback(
        self, session: Session, packet: mqtt.Puback, now_ms: int, out: list[Effect]
    ) -> Gone | None:
        self._finish(session, packet.packet_id, mqtt.Puback.HEAD, now_ms, out)
        return None

    def _on_pubcomp(
        self, session: Session, packet: mqtt.Pubcomp, now_ms: int, out: list[Effect]
    ) -> Gone | None:
        self._finish(session, packet.packet_id, mqtt.Pubcomp.HEAD, now_ms, out)
        return None

    def _finish(
        self, session: Session, packet_id: int, answer: int, now_ms: int, out: list[Effect]
    ) -> None:
        sent = self._delivery.finish(session, packet_id, answer, now_ms, out)
        if sent is not None and session.backlog is None:
            self.happened.append(Delivered(session.client_id, sent.tag))

    def _on_pubrec(
        self, session: Session, packet: mqtt.Pubrec, now_ms: int, out: list[Effect]
    ) -> Gone | None:
        self._delivery.release(session, packet.packet_id, now_ms, out)
        return None

    # --- subscriptions --------------------------------------------------------------------------

    def _on_subscribe(
        self, session: Session, packet: mqtt.Subscribe, now_ms: int, out: list[Effect]
    ) -> Gone | None:
        if session.count(len(packet.filters), now_ms) > session.packets_max:
            return Gone.TOO_FAST
        for text, _ in packet.filters:
            if not mqtt.is_topic_filter(text):
                return Gone.BROKE_PROTOCOL  # [MQTT-4.7.1-2, MQTT-4.7.1-3]
        codes = tuple([self._subscribe(session, text, qos, now_ms) for text, qos in packet.filters])
        self.say(session, mqtt.Suback(packet.packet_id, codes), out)  # [MQTT-3.8.4-1, 3.8.4-5]
        for (text, _), code in zip(packet.filters, codes, strict=True):
            if code == mqtt.SUBSCRIBE_REFUSED:
                continue
            cost = self._hub.send_retained(session, text, code, now_ms, out)
            cost = min(cost, session.packets_max // SEARCHES_PER_S_MIN)
            if session.count(cost, now_ms) > session.packets_max:
                return Gone.TOO_FAST
        return None

    def _subscribe(self, session: Session, topic_filter: str, qos: int, now_ms: int) -> int:
        """Return the code of one filter: the QoS that was asked for, or refused [MQTT-3.9.3-1]."""
        most = self._settings.subscriptions_max
        if session.backlog is not None:
            most = session.backlog.limits.subscriptions_max
        known = topic_filter in session.subscriptions
        if (
            self._too_large(topic_filter)
            or not (known or len(session.subscriptions) < most)
            or not self.may_subscribe(session, topic_filter)
        ):
            return mqtt.SUBSCRIBE_REFUSED
        self._hub.subscribe(session, topic_filter, qos, now_ms)
        if session.backlog is None:
            self.happened.append(ClientSubscribed(session.client_id, topic_filter))
        return qos

    def _on_unsubscribe(
        self, session: Session, packet: mqtt.Unsubscribe, now_ms: int, out: list[Effect]
    ) -> Gone | None:
        if session.count(len(packet.filters), now_ms) > session.packets_max:
            return Gone.TOO_FAST
        for topic_filter in packet.filters:
            self._hub.unsubscribe(session, topic_filter)
        self.say(session, mqtt.Unsuback(packet.packet_id), out)  # [MQTT-3.10.4-4, 3.10.4-5]
        return None

    def _too_large(self, topic: str) -> bool:
        limits = self._settings
        return len(topic) > limits.topic_size_max or topic.count("/") >= limits.topic_levels_max

    # --- the rest -------------------------------------------------------------------------------

    def _on_pingreq(
        self, session: Session, _packet: mqtt.Pingreq, _now_ms: int, out: list[Effect]
    ) -> Gone | None:
        self.say(session, mqtt.Pingresp(), out)  # [MQTT-3.12.4-1]
        return None

    def _on_disconnect(
        self, _session: Session, _packet: mqtt.Disconnect, _now_ms: int, _out: list[Effect]
    ) -> Gone | None:
        return Gone.DISCONNECTED
