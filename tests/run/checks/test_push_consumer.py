"""A consumer reads, acknowledges, forgets, hangs up, and comes back."""

from typing import Any

import pytest

from firmware_sim.runtime.virtual.agenda import Agenda
from fleet.run.checks import push_consumer
from fleet.run.checks.push_consumer import ACK_TIMEOUT_MS, AGAIN_MS, AWAYS_MS, Consumer
from fleet.run.seeding import Access
from fleet.run.virtual.push_line import Knock

ACCESS = Access("key", "s" * 32, "fleet")
TEXTS = tuple(b'{"messageId":"%d"}' % number for number in range(100))


class Lines:
    """Notes what a consumer does."""

    def __init__(self) -> None:
        self.count = 0
        self.knocks: list[Knock] = []
        self.said: list[tuple[int, tuple[bytes, ...]]] = []
        self.closed: list[int] = []

    def open(self, _: Consumer, knock: Knock) -> int:
        self.count += 1
        self.knocks.append(knock)
        return self.count

    def say(self, line: int, texts: tuple[bytes, ...]) -> None:
        self.said.append((line, texts))

    def close(self, line: int) -> None:
        self.closed.append(line)


def a_consumer(*, behaves: bool = True) -> tuple[Consumer, Lines, Agenda]:
    agenda, lines = Agenda(0), Lines()
    stand_in: Any = lines
    consumer = Consumer(agenda, stand_in, ACCESS, 1)
    consumer.behaves = behaves
    consumer.begin()
    return consumer, lines, agenda


def test_it_asks_for_the_topic_of_its_project() -> None:
    _, lines, _ = a_consumer()
    [knock] = lines.knocks
    assert knock.target == (
        "/ws/v2/consumer/persistent/key/out/event/key-sub"
        f"?ackTimeoutMillis={ACK_TIMEOUT_MS}&subscriptionType=Failover"
    )
    assert knock.username == "key"
    assert knock.password not in repr(knock)


def test_what_it_reads_it_acknowledges() -> None:
    consumer, lines, agenda = a_consumer()
    consumer.took(1, TEXTS)
    assert lines.said == []
    agenda.run_until(100)
    assert lines.said == [(1, TEXTS)]


def test_unless_it_forgets_to() -> None:
    consumer, lines, agenda = a_consumer(behaves=False)
    consumer.took(1, TEXTS)
    agenda.run_until(100)
    [(_, said)] = lines.said
    assert 80 < len(said) < len(TEXTS)


def test_it_hangs_up_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_consumer, "LEAVES_ONE_IN", 1)
    consumer, lines, agenda = a_consumer(behaves=False)
    consumer.took(1, TEXTS)
    assert lines.closed == [1]
    consumer.took(1, TEXTS)
    consumer.lost(1)
    agenda.run_until(max(AWAYS_MS))
    assert lines.count == 2
    assert len(lines.said) == 1


def test_it_connects_anew_when_the_line_is_gone() -> None:
    consumer, lines, agenda = a_consumer()
    consumer.lost(1)
    consumer.took(1, TEXTS)
    agenda.run_until(AGAIN_MS)
    assert lines.count == 2
    assert lines.said == []
