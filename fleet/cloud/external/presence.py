"""Who is connected to an external broker and hears what, as far as the broker has told.

Nobody but the broker sees a client's acknowledgement. That it got a message is inferred from what
firmware does after an order to reset: it unsubscribes from its topic and disconnects
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c). Whoever is merely lost may not have
heard it.
"""

from fleet.cloud.external.clients import Clients
from fleet.cloud.external.signs import Came, Hears, HearsNoMore, Left, Sign
from fleet.cloud.happenings import (
    ClientConnected,
    ClientGone,
    ClientSubscribed,
    Delivered,
    Gone,
    Happening,
)


class _Connected:
    """One client: what it hears, and the tags of what it was sent and may not have got."""

    __slots__ = ("hears", "owed")

    def __init__(self) -> None:
        self.hears: tuple[str, ...] = ()
        self.owed: tuple[str, ...] = ()


class Presence:
    """All clients that are ours; others of the same broker are none of our business."""

    def __init__(self, clients: Clients, *, guess: bool) -> None:
        """Start with nobody. With `guess`, who is heard of otherwise first, must be there."""
        self._clients = clients
        self._guess = guess
        self._here: dict[str, _Connected] = {}
        self._hearers: dict[str, str] = {}  # client id by topic
        self._told_of: set[str] = set()

    def __len__(self) -> int:
        """Return how many are connected."""
        return len(self._here)

    def __contains__(self, client_id: str) -> bool:
        """Tell whether a client is connected."""
        return client_id in self._here

    def take(self, sign: Sign) -> list[Happening]:
        """Note what the broker tells of a client; return what that means."""
        client = self._clients.get(sign.client_id)
        if client is None:
            return []
        if self._guess:
            self._told_of.add(sign.client_id)
        if isinstance(sign, Came):
            # Another client may be given our client's id by the broker, but not its name.
            return self._come(sign.client_id) if sign.username == client.username else []
        here = self._here.get(sign.client_id)
        if here is None:
            return []
        if isinstance(sign, Left):
            return self._leave(sign, here)
        if isinstance(sign, Hears) and sign.topic in client.hears:
            self._hear(client.client_id, here, (sign.topic,))
            return [ClientSubscribed(sign.client_id, sign.topic)]
        if isinstance(sign, HearsNoMore) and sign.topic == client.hears[0]:
            self._hear_no_more(here)
            return _settled(sign.client_id, here)
        return []

    def guess(self, client_id: str) -> list[Happening]:
        """Note that a client said something; one the broker never told of was there before us."""
        if not self._guess or client_id in self._told_of:
            return []
        client = self._clients.get(client_id)
        if client is None:
            return []
        self._told_of.add(client_id)
        happened = self._come(client_id)
        # Firmware says nothing before it has subscribed.
        self._hear(client_id, self._here[client_id], client.hears)
        return [*happened, *(ClientSubscribed(client_id, topic) for topic in client.hears)]

    def send(self, topic: str, tag: str) -> bool:
        """Note that a topic is sent something; return whether a client hears it."""
        client_id = self._hearers.get(topic)
        if client_id is None:
            return False
        here = self._here[client_id]
        if tag and tag not in here.owed:
            here.owed += (tag,)
        return True

    def forget(self, client_id: str) -> None:
        """Let a client be gone without another word."""
        here = self._here.pop(client_id, None)
        if here is not None:
            self._hear_no_more(here)

    def clear(self) -> list[Happening]:
        """Let all be gone, because nobody tells of them any more."""
        gone: list[Happening] = [ClientGone(client_id, Gone.LOST) for client_id in self._here]
        self._here.clear()
        self._hearers.clear()
        self._told_of.clear()
        return gone

    def _come(self, client_id: str) -> list[Happening]:
        happened: list[Happening] = [ClientConnected(client_id)]
        if client_id in self._here:  # of a newer connection the broker says nothing else
            happened.insert(0, ClientGone(client_id, Gone.TAKEN_OVER))
            self.forget(client_id)
        self._here[client_id] = _Connected()
        return happened

    def _leave(self, sign: Left, here: _Connected) -> list[Happening]:
        self.forget(sign.client_id)
        happened: list[Happening] = []
        if sign.reason is Gone.DISCONNECTED:
            happened += _settled(sign.client_id, here)
        return [*happened, ClientGone(sign.client_id, sign.reason)]

    def _hear(self, client_id: str, here: _Connected, topics: tuple[str, ...]) -> None:
        for topic in topics:
            if topic not in here.hears:
                here.hears += (topic,)
                self._hearers[topic] = client_id

    def _hear_no_more(self, here: _Connected) -> None:
        for topic in here.hears:
            del self._hearers[topic]
        here.hears = ()


def _settled(client_id: str, here: _Connected) -> list[Happening]:
    owed, here.owed = here.owed, ()
    return [Delivered(client_id, tag) for tag in owed]
