"""What EMQX 5 tells of its clients: messages below `$SYS/brokers/`, of every node of a cluster.

`connected` and `disconnected` are on by default, `subscribed` and `unsubscribed` have to be switched
on (`sys_topics.sys_event_messages`). Topics and fields are those of "System Topic" (docs.emqx.com).
A client that moves to another node, or to a newer connection, is said to be gone by its former
node, maybe after the new one has said that it is there; that it moved is no news.
"""

import re

import msgspec

from firmware_sim.errors import Malformed
from firmware_sim.wire.structs import decode_json
from fleet.cloud.external.signs import Came, Hears, HearsNoMore, Left, Sign
from fleet.cloud.happenings import Gone

FILTERS = tuple(
    f"$SYS/brokers/+/clients/+/{kind}"
    for kind in ("connected", "disconnected", "subscribed", "unsubscribed")
)

_TOPIC = re.compile(r"\$SYS/brokers/[^/]+/clients/([^/]+)/(\w+)")
_MOVED = frozenset({"discarded", "takenover"})
_REASONS = {
    "normal": Gone.DISCONNECTED,
    "keepalive_timeout": Gone.SILENT,
    "kicked": Gone.SENT_AWAY,
    "not_authorized": Gone.NOT_ITS_TOPIC,
    "protocol_error": Gone.BROKE_PROTOCOL,
    "frame_error": Gone.BROKE_PROTOCOL,
}


class _Told(msgspec.Struct, frozen=True):
    username: str = ""
    reason: str = ""
    topic: str = ""


def read_sign(topic: str, payload: bytes) -> Sign | None:
    """Return what a message says of a client; None when it is about something else."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        return None
    try:
        told = decode_json(_Told, payload)
    except Malformed:
        return None
    client_id, kind = found[1], found[2]
    if kind == "connected":
        return Came(client_id, told.username)
    if kind == "disconnected" and told.reason not in _MOVED:
        return Left(client_id, _REASONS.get(told.reason, Gone.LOST))
    if kind == "subscribed":
        return Hears(client_id, told.topic)
    return HearsNoMore(client_id, told.topic) if kind == "unsubscribed" else None
