"""An MQTT 3.1.1 broker, sans-IO and inside the cloud's node.

It speaks the standard (OASIS MQTT Version 3.1.1) to any client and knows nothing of devices itself:
`Directories` say who may connect, which topics are whose, and who is a guest. What clients say that
the cloud talks with comes out as happenings; what the cloud says goes in by `publish`. Guests hear
everything that they may and subscribed to, and are heard by all who subscribed to their topics.

Chosen where the standard leaves room: whoever is no guest leaves nothing behind, so its sessions
are clean ones and its RETAIN flags have no effect; a message to a topic that a client may not
publish to closes its connection [MQTT-3.3.5-2], except that a bridge of Mosquitto may say to nobody
that it is there; so do a malformed filter and a flood of packets, which would starve the other
clients; a filter is granted when one that the client was given covers all of it, and refused
(SUBACK 0x80) otherwise; where several filters of a client match a message, it gets one copy with
the highest QoS [MQTT-3.3.5-1]; what is not acknowledged is sent again on the same connection, too,
and a client that answers nothing for long is closed, but not one that works through what it has.
"""

from fleet.cloud.broker.broker import Broker, BrokerEvent
from fleet.cloud.broker.limits import BrokerSettings
from fleet.cloud.broker.retained import Retained
from fleet.cloud.broker.shelf import Shelf
from fleet.cloud.happenings import (
    ClientConnected,
    ClientGone,
    ClientSubscribed,
    Delivered,
    Directories,
    Directory,
    Gone,
    GuestLimits,
    Happening,
    MessageReceived,
)

__all__ = [
    "Broker",
    "BrokerEvent",
    "BrokerSettings",
    "ClientConnected",
    "ClientGone",
    "ClientSubscribed",
    "Delivered",
    "Directories",
    "Directory",
    "Gone",
    "GuestLimits",
    "Happening",
    "MessageReceived",
    "Retained",
    "Shelf",
]
