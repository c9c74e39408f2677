"""Who is there, who hears what, and what can be known of what was heard."""

import pytest

from fleet.cloud.external.clients import Clients
from fleet.cloud.external.presence import Presence
from fleet.cloud.external.signs import Came, Hears, HearsNoMore, Left
from fleet.cloud.happenings import (
    ClientConnected,
    ClientGone,
    ClientSubscribed,
    Delivered,
    Gone,
)
from tests.cloud.support import World

DEV = "bfdevice00000000000000"
IN, RSP = f"smart/device/in/{DEV}", f"rpc/rsp/{DEV}"


def made(*, guess: bool = False) -> Presence:
    state = World().state
    return Presence(Clients(state.devices, state.app_links, state.settings), guess=guess)


@pytest.fixture
def presence() -> Presence:
    presence = made()
    assert presence.take(Came(DEV, DEV)) == [ClientConnected(DEV)]
    assert presence.take(Hears(DEV, IN)) == [ClientSubscribed(DEV, IN)]
    return presence


def test_a_client_comes_subscribes_and_goes(presence: Presence) -> None:
    assert DEV in presence
    assert len(presence) == 1
    assert presence.send(IN, "")
    assert not presence.send(RSP, "")
    assert presence.take(Left(DEV, Gone.LOST)) == [ClientGone(DEV, Gone.LOST)]
    assert DEV not in presence
    assert not presence.send(IN, "")
    assert presence.take(Left(DEV, Gone.LOST)) == []


def test_it_may_subscribe_again(presence: Presence) -> None:
    assert presence.take(Hears(DEV, IN)) == [ClientSubscribed(DEV, IN)]
    presence.take(Left(DEV, Gone.LOST))
    assert not presence.send(IN, "")


def test_a_newer_connection_takes_over(presence: Presence) -> None:
    assert presence.take(Came(DEV, DEV)) == [
        ClientGone(DEV, Gone.TAKEN_OVER),
        ClientConnected(DEV),
    ]
    assert not presence.send(IN, ""), "it has not subscribed"


def test_others_of_the_same_broker_do_not_count(presence: Presence) -> None:
    assert presence.take(Came("stranger", "stranger")) == []
    assert presence.take(Came("bfdevice00000000000001", "stranger")) == []
    assert presence.take(Hears("bfdevice00000000000001", IN)) == []
    assert presence.take(Hears(DEV, "smart/device/in/another")) == []
    assert presence.take(HearsNoMore(DEV, RSP)) == []
    assert len(presence) == 1


@pytest.mark.parametrize(
    ("sign", "gone"),
    [
        (HearsNoMore(DEV, IN), []),
        (Left(DEV, Gone.DISCONNECTED), [ClientGone(DEV, Gone.DISCONNECTED)]),
    ],
)
def test_who_leaves_in_good_order_has_heard_the_order_to_reset(
    presence: Presence, sign: Left | HearsNoMore, gone: list[ClientGone]
) -> None:
    assert presence.send(IN, "reset")
    assert presence.send(IN, "reset")
    assert presence.send(IN, "command")
    told = [Delivered(DEV, "reset"), Delivered(DEV, "command")]
    assert presence.take(sign) == [*told, *gone]
    if isinstance(sign, HearsNoMore):
        assert presence.take(Left(DEV, Gone.DISCONNECTED)) == [ClientGone(DEV, Gone.DISCONNECTED)]


@pytest.mark.parametrize("reason", [Gone.LOST, Gone.SILENT, Gone.SENT_AWAY, Gone.BROKE_PROTOCOL])
def test_who_is_lost_may_not_have(presence: Presence, reason: Gone) -> None:
    presence.send(IN, "reset")
    assert presence.take(Left(DEV, reason)) == [ClientGone(DEV, reason)]


def test_a_newer_connection_owes_nothing(presence: Presence) -> None:
    presence.send(IN, "reset")
    presence.take(Came(DEV, DEV))
    assert presence.take(Left(DEV, Gone.DISCONNECTED)) == [ClientGone(DEV, Gone.DISCONNECTED)]


def test_one_that_is_forgotten_goes_without_a_word(presence: Presence) -> None:
    presence.forget(DEV)
    presence.forget(DEV)
    assert presence.take(Left(DEV, Gone.SENT_AWAY)) == []
    assert not presence.send(IN, "")


def test_all_go_at_once(presence: Presence) -> None:
    presence.take(Came("acon_uuid0001", "acon_uuid0001"))
    assert presence.clear() == [
        ClientGone(DEV, Gone.LOST),
        ClientGone("acon_uuid0001", Gone.LOST),
    ]
    assert presence.clear() == []
    assert not presence.send(IN, "")


def test_nothing_is_guessed_where_the_broker_tells_all(presence: Presence) -> None:
    assert presence.guess("bfdevice00000000000001") == []
    assert len(presence) == 1


def test_who_speaks_unannounced_was_there_before() -> None:
    presence = made(guess=True)
    topics = (IN, RSP, f"rpc/file/{DEV}")
    assert presence.guess(DEV) == [
        ClientConnected(DEV),
        *(ClientSubscribed(DEV, topic) for topic in topics),
    ]
    assert presence.guess(DEV) == []
    assert presence.send(RSP, "")
    assert presence.guess("stranger") == []


def test_but_not_who_is_known_to_be_gone() -> None:
    presence = made(guess=True)
    presence.take(Left(DEV, Gone.LOST))
    assert presence.guess(DEV) == [], "what it said before arrived after that"
    presence.clear()
    assert presence.guess(DEV)
