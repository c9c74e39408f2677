"""Both brokers fit the protocol; our own one needs no doorkeeper."""

from firmware_sim.effects import Effect
from fleet.cloud.broker import Broker, Directories
from fleet.cloud.external import ExternalBroker
from fleet.cloud.messages import SendReply
from fleet.cloud.messenger import AskedAtConnect, Doorkeeper, Messenger
from tests.cloud.external.plugin import AtMosquitto


def test_both_brokers_are_messengers() -> None:
    external = AtMosquitto().cloud._link._broker
    own: Messenger = Broker(Directories())
    assert isinstance(external, ExternalBroker)
    for messenger in (own, external):
        assert messenger.clients == 0
        assert not messenger.connected("bfnobody")
        assert messenger.next_deadline_ms() is None


def test_who_is_asked_at_connect_keeps_nothing_back() -> None:
    doorkeeper: Doorkeeper = AskedAtConnect()
    reply = SendReply(1, 200, b"keys")
    out: list[Effect] = [reply]
    doorkeeper.expect("bf1", b"again")
    doorkeeper.conclude((), 1, out)
    assert out == [reply]
    assert doorkeeper.takes_guests
