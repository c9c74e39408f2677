"""The console's page of message push: how a project hears, and how far its consumers are behind.

Paths and fields are ours; the console of the vendor shows topics with their consumers and the
number of messages that wait for them ("Message Queue", developer.tuya.com). There is no secret here.
"""

import msgspec

from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.push_queue import Member
from fleet.cloud.push_topics import PushTopics, Standing
from fleet.cloud.state import State


class ConsumerView(msgspec.Struct, frozen=True):
    """A connection: `window` messages are sent ahead, again after `ack_timeout_ms` (0: never).

    `stalled`: it does not read.
    """

    active: bool
    window: int
    ack_timeout_ms: int
    stalled: bool


class TopicView(msgspec.Struct, frozen=True):
    """A topic in one data centre: what is unread, in messages and characters, and who reads it.

    `oldest_ms` is when the oldest of them was raised, `under_way` how many were sent and are not
    acknowledged.
    """

    centre: str
    topic: str
    unread: int
    size: int
    oldest_ms: int | None
    under_way: int
    consumers: list[ConsumerView]


class PushView(msgspec.Struct, frozen=True):
    """A project, and how it hears: what it chose, or what the settings choose for it."""

    access_id: str
    name: str
    families: str
    encryption: str
    topics: list[TopicView]


class PushApi:
    """Handlers of the console."""

    def __init__(self, topics: PushTopics) -> None:
        """Show `topics`."""
        self._topics = topics

    def routes(self) -> tuple[Route, ...]:
        """Return the table of this API."""
        return (Route("GET", "/console/v1/push", Access.ACCOUNT, self.see_push),)

    def see_push(self, state: State, call: Call) -> list[PushView]:
        """Show the caller's projects with their topics."""
        return [
            PushView(
                project.access_id,
                project.name,
                project.push_families or state.settings.push_families,
                project.push_encryption or state.settings.push_encryption,
                [_topic(one) for one in self._topics.standing(project.access_id)],
            )
            for project in state.projects.of_owner(call.subject)
        ]


def _topic(standing: Standing) -> TopicView:
    return TopicView(
        centre=standing.topic.centre,
        topic=standing.topic.channel,
        unread=standing.lag.messages,
        size=standing.lag.size,
        oldest_ms=standing.lag.oldest_ms,
        under_way=standing.under_way,
        consumers=[
            _consumer(member, active=place == 0) for place, member in enumerate(standing.consumers)
        ],
    )


def _consumer(member: Member, *, active: bool) -> ConsumerView:
    return ConsumerView(
        active=active,
        window=member.window,
        ack_timeout_ms=member.ack_timeout_ms,
        stalled=member.stalled,
    )
