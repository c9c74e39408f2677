"""What a broker lets its administrators know of its clients, whichever way it says it."""

import msgspec

from fleet.cloud.happenings import Gone


class Sign(msgspec.Struct, frozen=True, gc=False):
    """Base of what is told of one client."""

    client_id: str


class Came(Sign, frozen=True):
    """The client is connected, as `username`."""

    username: str


class Left(Sign, frozen=True):
    """The client is no longer connected."""

    reason: Gone


class Hears(Sign, frozen=True):
    """The client is subscribed to `topic`."""

    topic: str


class HearsNoMore(Sign, frozen=True):
    """The client is no longer subscribed to `topic`."""

    topic: str
