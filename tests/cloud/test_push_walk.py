"""Random days of push consumers: each message is delivered at least once, or dropped by a rule.

Whatever consumers do and however often the cloud is killed: never are two sent to at once, what is
owed is kept, and whoever comes in the end hears it.
"""

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.cloud.push_world import Consumer, PushWorld, Told
from tests.cloud.support import assert_reloads

pytestmark = pytest.mark.no_cover

HOUR_MS = 3_600_000


class Life(RuleBasedStateMachine):
    """Consumers come, go, acknowledge late or never, stall; the cloud is killed; time passes.

    Beside it runs a naive model: `owed` is what must be kept, in order; what leaves it was either
    acknowledged by the consumer that was active, or `dropped` by a rule.
    """

    @initialize(window=st.integers(1, 4), kept=st.integers(2, 8))
    def begin(self, window: int, kept: int) -> None:
        self.world = PushWorld(
            push_window_max=window,
            push_messages_max=kept,
            push_redeliveries_max=2,
            push_consumers_max=3,
        )
        self.kept = kept
        self.raised_ms: list[int] = []  # of each message, by number
        self.owed: list[int] = []
        self.dropped: set[int] = set()
        self.delivered: set[int] = set()
        self.consumers: list[Consumer] = []
        self.held: dict[int, list[Told]] = {}  # by consumer

    def here(self) -> list[Consumer]:
        return [consumer for consumer in self.consumers if consumer.state == "in"]

    def one_of(self, which: int) -> Consumer:
        here = self.here()
        return here[which % len(here)]

    def listen(self) -> None:
        """Take what was delivered: only the active consumer may have been sent anything."""
        for consumer in self.consumers:
            heard = consumer.heard()
            if heard and consumer.state == "in":
                assert consumer is self.here()[0]
            self.held.setdefault(consumer.conn, []).extend(heard)
            self.delivered |= {consumer.number(one) for one in heard}

    @rule()
    def come(self) -> None:
        room = len(self.here()) < 3
        self.consumers.append(self.world.connect())
        assert (self.consumers[-1].state == "in") == room
        self.listen()

    @precondition(lambda self: self.here())
    @rule(which=st.integers(0, 2))
    def go(self, which: int) -> None:
        self.one_of(which).close()
        self.listen()

    @rule(count=st.integers(1, 3))
    def happen(self, count: int) -> None:
        for _ in range(count):
            self.owed.append(len(self.raised_ms))
            self.raised_ms.append(self.world.now_ms)
            self.world.happen(self.owed[-1])
        while len(self.owed) > self.kept:
            self.dropped.add(self.owed.pop(0))
        self.listen()

    @precondition(lambda self: self.here())
    @rule(which=st.integers(0, 2), count=st.integers(1, 4), last=st.booleans())
    def acknowledge(self, which: int, count: int, *, last: bool) -> None:
        consumer = self.one_of(which)
        held = self.held.get(consumer.conn, [])
        chosen = held[-count:] if last else held[:count]
        consumer.acknowledge(*chosen)
        read = {consumer.number(one) for one in chosen}
        self.owed = [number for number in self.owed if number not in read]
        self.listen()

    @precondition(lambda self: self.here())
    @rule(which=st.integers(0, 2), stalls=st.booleans())
    def read(self, which: int, *, stalls: bool) -> None:
        consumer = self.one_of(which)
        if stalls:
            consumer.stall()
        else:
            consumer.resume()
        self.listen()

    @rule(passed_ms=st.sampled_from([1, 2_999, 3_000, 20_000, HOUR_MS]))
    def wait(self, passed_ms: int) -> None:
        self.world.wait(passed_ms)
        since_ms = self.world.now_ms - 2 * HOUR_MS
        while self.owed and self.raised_ms[self.owed[0]] <= since_ms:
            self.dropped.add(self.owed.pop(0))
        self.listen()

    @rule()
    def kill(self) -> None:
        self.world.kill_and_restart()

    @invariant()
    def what_is_owed_is_kept_and_nothing_else(self) -> None:
        texts = [message.text for message in self.world.state.push_backlog._messages]
        assert [json.loads(text)["bizData"]["number"] for text in texts] == self.owed

    @invariant()
    def each_message_was_delivered_or_dropped_or_is_owed(self) -> None:
        known = self.delivered | self.dropped | set(self.owed)
        assert known == set(range(len(self.raised_ms)))

    @invariant()
    def the_store_knows_everything(self) -> None:
        assert_reloads(self.world)

    def teardown(self) -> None:
        """Let whoever comes in the end hear all that is owed."""
        if not hasattr(self, "world"):
            return
        for consumer in self.here():
            consumer.close()
            self.listen()
        last, heard = self.world.connect(), list[int]()
        while self.world.unread:
            deliveries = last.heard()
            assert deliveries, "there is always something on its way"
            heard += [last.number(one) for one in deliveries]
            last.acknowledge(*deliveries)
        assert heard == self.owed


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
test_a_life = Life.TestCase
