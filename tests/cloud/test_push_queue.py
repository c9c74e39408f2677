"""A failover subscription as such: who is sent what, and a walk of random consumers."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.push_queue import FailoverQueue, Member

TIMEOUT_MS = 1_000


def queue(
    *ids: int, members: int = 1, window: int = 10, timeout_ms: int = TIMEOUT_MS
) -> FailoverQueue:
    made = FailoverQueue(ids, redeliveries_max=2)
    for conn in range(members):
        made.join(Member(conn, timeout_ms, window))
    return made


def sent(made: FailoverQueue, now_ms: int, count_max: int = 10) -> list[tuple[int, int]]:
    return [(one.id, one.redeliveries) for one in made.next_up(now_ms, count_max)]


def test_nobody_is_sent_anything_while_nobody_is_there() -> None:
    made = queue(1, members=0)
    assert (sent(made, 0), made.due_ms(0), made.in_vain(0)) == ([], None, False)
    made.drop(1)


def test_window_and_count_bound_what_is_sent() -> None:
    made = queue(1, 2, 3, 4, window=3)
    assert sent(made, 0, count_max=2) == [(1, 0), (2, 0)]
    assert made.due_ms(0) == 0
    assert sent(made, 0, count_max=2) == [(3, 0)]
    assert made.due_ms(0) == TIMEOUT_MS
    assert made.acknowledge(0, 2, 0)
    assert sent(made, 0) == [(4, 0)]


def test_the_late_come_before_the_new_and_keep_their_count() -> None:
    made = queue(1, window=2)
    sent(made, 0)
    made.offer(2)
    made.offer(3)
    assert sent(made, 600) == [(2, 0)]
    assert sent(made, 1_000) == [(1, 1)]
    assert made.acknowledge(0, 1, 1_000)
    assert sent(made, 1_600) == [(2, 1), (3, 0)]
    assert made.due_ms(1_600) == 2_600


def test_acknowledgements_count_from_the_active_consumer_and_once() -> None:
    made = queue(1, members=2)
    sent(made, 0)
    assert not made.acknowledge(1, 1, 0)
    assert not made.acknowledge(0, 2, 0)
    assert made.acknowledge(0, 1, 0)
    assert not made.acknowledge(0, 1, 0)


def test_take_over() -> None:
    made = queue(1, 2, 3, members=3)
    sent(made, 0)
    made.acknowledge(0, 2, 0)
    made.offer(4)
    made.leave(1)
    assert sent(made, 0) == [(4, 0)]
    made.leave(0)
    assert sent(made, 0) == [(1, 1), (3, 1), (4, 1)]
    assert [member.conn for member in made.members] == [2]


def test_in_vain() -> None:
    made = queue(1, 2)
    for now_ms in (0, 1_000, 2_000):
        assert not made.in_vain(now_ms)
        sent(made, now_ms)
    assert made.in_vain(3_000)
    made.acknowledge(0, 2, 2_500)
    assert not made.in_vain(3_000)


def test_a_stalled_consumer_is_left_alone() -> None:
    made = queue(1, 2, members=2, window=1)
    sent(made, 0)
    made.stall(0, stalled=True)
    assert (sent(made, 5_000), made.due_ms(5_000), made.in_vain(5_000)) == ([], None, False)
    made.acknowledge(0, 1, 5_000)
    assert (sent(made, 5_000), made.due_ms(5_000)) == ([], None)
    made.stall(0, stalled=False)
    assert sent(made, 5_000) == [(2, 0)]


def test_drop() -> None:
    made = queue(1, 2, 3, window=1)
    sent(made, 0)
    made.drop(1)
    made.drop(2)
    assert sent(made, 0) == [(3, 0)]


def test_no_time_limit() -> None:
    made = queue(1, timeout_ms=0)
    sent(made, 0)
    assert (made.due_ms(0), sent(made, 10**9)) == (None, [])


class Walk:
    """Consumers that come, go, stall and acknowledge in any order, and what they hold by then."""

    def __init__(self, window: int) -> None:
        self.queue = FailoverQueue((), redeliveries_max=1_000)
        self.window = window
        self.now_ms = self.conns = self.offered = 0
        self.held: dict[int, list[int]] = {}  # by consumer: what it was sent and not rid of
        self.owed: set[int] = set()

    def chosen(self, which: int) -> int | None:
        here = [member.conn for member in self.queue.members]
        return here[which % len(here)] if here else None

    def join(self, _which: int) -> None:
        if len(self.queue.members) < 4:
            self.queue.join(Member(self.conns, TIMEOUT_MS, self.window))
            self.held[self.conns] = []
            self.conns += 1

    def leave(self, which: int) -> None:
        conn = self.chosen(which)
        if conn is not None:
            self.queue.leave(conn)

    def offer(self, _which: int) -> None:
        self.owed.add(self.offered)
        self.queue.offer(self.offered)
        self.offered += 1

    def acknowledge(self, which: int) -> None:
        conn = self.chosen(which)
        if conn is None or not self.held[conn]:
            return
        message = self.held[conn][which % len(self.held[conn])]
        accepted = self.queue.acknowledge(conn, message, self.now_ms)
        assert accepted == (conn == self.queue.members[0].conn)
        if accepted:
            self.owed.remove(message)
            self.held[conn].remove(message)

    def stall(self, which: int) -> None:
        self.queue.stall(self.chosen(which) or 0, stalled=True)

    def resume(self, which: int) -> None:
        self.queue.stall(self.chosen(which) or 0, stalled=False)

    def wait(self, which: int) -> None:
        self.now_ms += 400 * which

    def deliver(self) -> None:
        """Send what is to be sent: to one consumer, within its window, all that fits."""
        shipments = self.queue.next_up(self.now_ms, 100)
        if not self.queue.members:
            assert shipments == []
            return
        active = self.queue.members[0]
        held = self.held[active.conn]
        held += [one.id for one in shipments if one.id not in held]
        if active.stalled:
            assert shipments == []
            assert len(held) <= self.window
        else:
            assert len(held) == min(self.window, len(self.owed))


STEPS = (Walk.join, Walk.leave, Walk.offer, Walk.acknowledge, Walk.stall, Walk.resume, Walk.wait)


@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 3)), max_size=60), st.integers(1, 4)
)
def test_every_message_is_delivered_until_it_is_acknowledged(
    steps: list[tuple[Callable[[Walk, int], None], int]], window: int
) -> None:
    walk = Walk(window)
    for step, which in steps:
        step(walk, which)
        walk.deliver()
    for member in list(walk.queue.members):
        walk.queue.leave(member.conn)
    walk.queue.join(Member(walk.conns, TIMEOUT_MS, 1_000))
    assert {shipment.id for shipment in walk.queue.next_up(walk.now_ms, 1_000)} == walk.owed
