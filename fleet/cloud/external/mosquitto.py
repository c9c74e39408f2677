"""What Mosquitto tells of its clients: lines of its log, published below `$SYS/broker/log/`.

There is no other source. The broker has to be told to log to topics (`log_dest topic`,
`connection_messages true`, `log_type` with `notice`, `subscribe` and `unsubscribe`); see
mosquitto.conf(5). The words are those of version 2.0.11 (eclipse/mosquitto, src/loop.c,
src/handle_connect.c, src/handle_subscribe.c, src/handle_unsubscribe.c). A line counts only as a
whole and with words that are known, because other clients choose their ids, and put into one what
looks like the rest of a line.
"""

import errno
import os
import re

from fleet.cloud.external.signs import Came, Hears, HearsNoMore, Left, Sign
from fleet.cloud.happenings import Gone

LOG = "$SYS/broker/log/"
TOPIC_NOTICES = f"{LOG}N"
TOPIC_SUBSCRIBED = f"{LOG}M/subscribe"
TOPIC_UNSUBSCRIBED = f"{LOG}M/unsubscribe"
FILTERS = (TOPIC_NOTICES, TOPIC_SUBSCRIBED, TOPIC_UNSUBSCRIBED)

_TIME = r"(?:[0-9T:+-]{1,32}: )?"  # as the broker writes it by default, or by an ISO format
_CAME = re.compile(
    _TIME + r"New client connected from \S+ as (\S+) \(p\d+, c\d, k\d+, u'([^' ]+)'\)\."
)
_BAD_SOCKET = re.compile(_TIME + r"Bad socket read/write on client (\S+): [^:]+")
_HEARS = re.compile(_TIME + r"(\S+) [0-2] (\S+)")
_HEARS_NO_MORE = re.compile(_TIME + r"(\S+) (\S+)")

_REASONS = {
    "disconnected": Gone.DISCONNECTED,
    "closed its connection": Gone.LOST,
    "has exceeded timeout, disconnecting": Gone.SILENT,
    "been disconnected by administrative action": Gone.SENT_AWAY,
    "disconnected due to malformed packet": Gone.BROKE_PROTOCOL,
    "disconnected due to protocol error": Gone.BROKE_PROTOCOL,
    "disconnected due to oversize packet": Gone.BROKE_PROTOCOL,
    "disconnected due to oversize payload": Gone.BROKE_PROTOCOL,
    "disconnected due to QoS too high or retain not supported": Gone.BROKE_PROTOCOL,
    "disconnected due to out of memory": Gone.LOST,
    **{
        f"disconnected: {os.strerror(number)}": Gone.LOST
        for number in (
            errno.ECONNABORTED,
            errno.ECONNRESET,
            errno.EHOSTUNREACH,
            errno.ENETDOWN,
            errno.ENETRESET,
            errno.ENETUNREACH,
            errno.ENOBUFS,
            errno.ENOTCONN,
            errno.EPIPE,
            errno.ETIMEDOUT,
        )
    },
}
_LEFT = re.compile(_TIME + rf"Client (\S+) ({'|'.join(map(re.escape, _REASONS))})\.")


def read_sign(topic: str, payload: bytes) -> Sign | None:
    """Return what a line of the log says of a client; None when it is about something else."""
    line = payload.decode("utf-8", "replace")
    if topic == TOPIC_NOTICES:
        return _notice(line)
    if topic == TOPIC_SUBSCRIBED and (found := _HEARS.fullmatch(line)) is not None:
        return Hears(found[1], found[2])
    if topic == TOPIC_UNSUBSCRIBED and (found := _HEARS_NO_MORE.fullmatch(line)) is not None:
        return HearsNoMore(found[1], found[2])
    return None


def _notice(line: str) -> Sign | None:
    if (found := _CAME.fullmatch(line)) is not None:
        return Came(found[1], found[2])
    if (found := _LEFT.fullmatch(line)) is not None:
        return Left(found[1], _REASONS[found[2]])
    if (found := _BAD_SOCKET.fullmatch(line)) is not None:
        return Left(found[1], Gone.LOST)
    return None
