"""What guests leave with the broker, as records: their sessions, messages for them, retained ones.

Together they are the state of a session that has to outlive its connection [MQTT-3.1.2-4], and so
outlives the process as well. Messages of QoS 0 and sessions of devices are never written.
"""

from fleet.cloud.store.records import Record


class KeptSession(Record, gc=False):
    """A session that a guest asked to be kept; `left_ms` is 0 while it is connected."""

    TABLE = "mqtt_sessions"
    KEY = ("client_id",)

    client_id: str
    username: str
    left_ms: int


class KeptSubscription(Record, gc=False):
    """A topic filter of a kept session and the QoS that it was granted."""

    TABLE = "mqtt_subscriptions"
    KEY = ("client_id", "topic_filter")

    client_id: str
    topic_filter: str
    qos: int


class KeptReceipt(Record, gc=False):
    """A packet id of a QoS 2 message from a kept session, from PUBLISH to PUBREL."""

    TABLE = "mqtt_receipts"
    KEY = ("client_id", "packet_id")

    client_id: str
    packet_id: int


class GuestMessage(Record, gc=False):
    """A message for a guest, from when it was published until the guest is known to have it.

    `id` rises in the order in which messages are to be sent (again) and is 0 for one that is not
    kept. `packet_id` is 0 until it is sent. `released` means that the guest has it and is to hear
    PUBREL; the payload is then no longer needed.
    """

    TABLE = "mqtt_messages"
    KEY = ("id",)

    id: int
    client_id: str
    packet_id: int
    topic: str
    payload: bytes
    qos: int
    retain: bool
    released: bool

    def __repr__(self) -> str:
        """Show for whom it is and how large: payloads carry keys."""
        return f"GuestMessage({self.client_id!r}, {self.topic!r}, {len(self.payload)} B)"


class KeptWill(Record, gc=False):
    """What a client has left to be said when it vanishes, for as long as it is connected."""

    TABLE = "mqtt_wills"
    KEY = ("client_id",)

    client_id: str
    username: str
    topic: str
    payload: bytes
    qos: int
    retain: bool

    def __repr__(self) -> str:
        """Show whose it is and the size only."""
        return f"KeptWill({self.client_id!r}, {self.topic!r}, {len(self.payload)} B)"


class RetainedMessage(Record, gc=False):
    """The last message to a topic that was published with RETAIN."""

    TABLE = "mqtt_retained"
    KEY = ("topic",)

    topic: str
    payload: bytes
    qos: int

    def __repr__(self) -> str:
        """Show the size only."""
        return f"RetainedMessage({self.topic!r}, {len(self.payload)} B)"
