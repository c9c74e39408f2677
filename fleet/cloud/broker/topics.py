"""Who subscribed to what, and which filters are wider than others.

A filter without wildcards is looked up, so that devices, which use no others, cost a dictionary
entry each; only filters with wildcards are in a tree. Source: OASIS MQTT Version 3.1.1, sections
3.3.5 and 4.7.
"""

from collections.abc import Iterable

from firmware_sim.wire import mqtt
from fleet.cloud.broker.levels import ONE, REST, LevelTree
from fleet.cloud.broker.session import Session

Listeners = tuple[Session, ...]


def covers(wide: str, narrow: str) -> bool:
    """Return whether `wide` matches every topic that `narrow` matches; either may be a topic.

    `#` does not cover `$SYS/#`, nor anything else that begins with `$` [MQTT-4.7.2-1].
    """
    if narrow == REST:
        return wide in (REST, f"{ONE}/{REST}")  # every topic has a first level
    wide_levels, narrow_levels = wide.split("/"), narrow.split("/")
    if wide_levels[0] in (ONE, REST) and narrow.startswith("$"):
        return False
    for index, level in enumerate(wide_levels):
        if level == REST:
            return True
        if index == len(narrow_levels) or narrow_levels[index] == REST:
            return False
        if level not in (ONE, narrow_levels[index]):
            return False
    return len(narrow_levels) == len(wide_levels)


class Subscribers:
    """The sessions behind each filter; which QoS one was granted is in `Session.subscriptions`."""

    __slots__ = ("_exact", "_wild")

    def __init__(self) -> None:
        """Start with nobody."""
        self._exact: dict[str, Listeners] = {}
        self._wild: LevelTree[Listeners] = LevelTree()

    def add(self, topic_filter: str, session: Session) -> None:
        """Let a session hear a filter that it did not hear before."""
        if mqtt.is_plain(topic_filter):
            self._exact[topic_filter] = (*self._exact.get(topic_filter, ()), session)
        else:
            before = self._wild.get(topic_filter) or ()
            self._wild.put(topic_filter, (*before, session))

    def remove(self, topic_filter: str, session: Session) -> None:
        """Let a session no longer hear a filter that it heard."""
        if mqtt.is_plain(topic_filter):
            others = _without(session, self._exact.pop(topic_filter))
            if others:
                self._exact[topic_filter] = others
            return
        others = _without(session, self._wild.get(topic_filter) or ())
        if others:
            self._wild.put(topic_filter, others)
        else:
            self._wild.drop(topic_filter)

    def of(self, topic: str) -> Iterable[tuple[Session, int]]:
        """Return who hears `topic`, each once with the highest QoS that it has for it.

        [MQTT-3.3.5-1] lets us send one copy where several filters of a client match.
        """
        exact = self._exact.get(topic)
        if not self._wild.size:
            if exact is None:
                return ()
            return [(session, session.subscriptions[topic]) for session in exact]
        best = {session: session.subscriptions[topic] for session in exact or ()}
        for topic_filter, sessions in self._wild.matching(topic):
            for session in sessions:
                qos = session.subscriptions[topic_filter]
                if qos > best.get(session, -1):
                    best[session] = qos
        return best.items()


def _without(session: Session, listeners: Listeners) -> Listeners:
    return tuple(other for other in listeners if other is not session)
