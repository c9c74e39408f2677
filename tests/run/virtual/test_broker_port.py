"""The port of the broker: closed, it takes nobody and has hung up on all; HTTP goes on."""

from collections.abc import Callable
from typing import Any, cast

from fleet.run.virtual.broker_port import BrokerPort
from fleet.run.virtual.cloud import VirtualCloud


class Cloud:
    """Stands in for a cloud: remembers."""

    def __init__(self) -> None:
        self.up = True
        self.log: list[Any] = []
        self.opened = self.heard = self.lost = self._note

    def _note(self, *args: object) -> None:
        self.log.append(args)

    def hang_up(self) -> None:
        self.log.append("hung up")


class Caller:
    """A call that is no MQTT."""

    def __init__(self, lose: Callable[[], None]) -> None:
        self.lose = lose


def test_a_port_opens_and_closes() -> None:
    cloud, lost = Cloud(), list[str]()
    port = BrokerPort(cast("VirtualCloud", cloud))
    states = [port.up]
    port.close()
    states.append(port.up)
    assert (cloud.up, cloud.log) == (True, ["hung up"])
    port.open()
    states.append(port.up)
    cloud.up = False
    assert [*states, port.up] == [True, False, True, False]
    port.post(cast("Any", Caller(lambda: lost.append("lost"))))
    assert lost == ["lost"]
    port.heard(cast("Any", "stream"), b"x")
    assert cloud.log[1:] == [("stream", b"x")], "nothing stands in between"
