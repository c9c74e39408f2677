"""What the broker counts about itself, under the names that Mosquitto gives it below `$SYS/broker`.

Public source: mosquitto.org, manual page mosquitto(8), "Broker status". Left out are what our
broker has no such thing as (heap, shared subscriptions, bridges) and the load averages, which are
rates of the counters here.
"""

import msgspec

SYS = "$SYS/"
BRIDGES = "$SYS/broker/connection/"
"""Where a bridge of Mosquitto tells the broker that it connects to that it is there, and leaves a will
(mosquitto.conf(5), `notifications`)."""
_BROKER = "$SYS/broker/"
VERSION = "firmware-sim MQTT 3.1.1"


class Meters(msgspec.Struct, gc=False):
    """Totals since the start, of all clients."""

    started_ms: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    messages_received: int = 0  # MQTT packets of any type
    messages_sent: int = 0
    publish_received: int = 0
    publish_sent: int = 0
    publish_dropped: int = 0  # no room for it with a client
    publish_bytes_received: int = 0
    publish_bytes_sent: int = 0
    clients_expired: int = 0
    clients_maximum: int = 0  # connected at the same time


class Levels(msgspec.Struct, frozen=True):
    """How much there is of everything right now."""

    connected: int
    away: int  # sessions that are kept while their clients are not connected
    subscriptions: int
    retained: int
    stored: int  # messages that wait for somebody, and retained ones
    stored_bytes: int


def readings(meters: Meters, levels: Levels, now_ms: int) -> dict[str, bytes]:
    """Return the text of every topic."""
    values = {
        "version": VERSION,
        "uptime": f"{(now_ms - meters.started_ms) // 1000} seconds",
        "clients/total": levels.connected + levels.away,
        "clients/connected": levels.connected,
        "clients/active": levels.connected,
        "clients/disconnected": levels.away,
        "clients/inactive": levels.away,
        "clients/maximum": meters.clients_maximum,
        "clients/expired": meters.clients_expired,
        "bytes/received": meters.bytes_received,
        "bytes/sent": meters.bytes_sent,
        "messages/received": meters.messages_received,
        "messages/sent": meters.messages_sent,
        "messages/stored": levels.stored,
        "store/messages/count": levels.stored,
        "store/messages/bytes": levels.stored_bytes,
        "publish/messages/received": meters.publish_received,
        "publish/messages/sent": meters.publish_sent,
        "publish/messages/dropped": meters.publish_dropped,
        "publish/bytes/received": meters.publish_bytes_received,
        "publish/bytes/sent": meters.publish_bytes_sent,
        "subscriptions/count": levels.subscriptions,
        "retained messages/count": levels.retained,
    }
    return {f"{_BROKER}{name}": str(value).encode() for name, value in values.items()}


class Watch:
    """When those who subscribed to $SYS are to be told, and what they know already."""

    __slots__ = ("_interval_ms", "_told", "_watchers", "due_ms")

    def __init__(self, interval_ms: int) -> None:
        """Start with nobody who wants to know."""
        self._interval_ms = interval_ms
        self._watchers = 0
        self._told: dict[str, bytes] = {}
        self.due_ms: int | None = None

    def begin(self, now_ms: int) -> None:
        """Count one subscription more."""
        self._watchers += 1
        if self.due_ms is None:
            self.due_ms = now_ms + self._interval_ms

    def end(self) -> None:
        """Count one subscription less."""
        self._watchers -= 1

    def news(self, now: dict[str, bytes], now_ms: int) -> dict[str, bytes]:
        """Return what has changed since the last time, and set when to look again."""
        changed = {topic: text for topic, text in now.items() if self._told.get(topic) != text}
        self._told = now
        self.due_ms = now_ms + self._interval_ms if self._watchers else None
        return changed
