"""The outbox: order is kept, nothing passes a commit that is not durable, failure ends it all."""

from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.effects import Effect
from fleet.cloud.messages import Commit, SendReply
from fleet.cloud.outbox import Outbox
from fleet.cloud.store.records import Change, Put, Record


class Row(Record):
    """Something to commit."""

    TABLE: ClassVar[str] = "rows"
    KEY: ClassVar[tuple[str, ...]] = ("number",)

    number: int


class World:
    """An outbox with a store that settles when told, and a list instead of sockets."""

    def __init__(self) -> None:
        self.submitted: list[tuple[Change, ...]] = []
        self.said: list[Effect] = []
        self.errors: list[BaseException] = []
        self.outbox = Outbox(self.submitted.append, self.said.append, self.errors.append)


def _say(number: int) -> SendReply:
    return SendReply(exchange=number, status=200, body=b"")


def _commit(number: int) -> Commit:
    return Commit(changes=(Put(Row(number)),))


def test_effects_without_a_commit_pass_at_once() -> None:
    world = World()
    world.outbox.push([_say(1), _say(2)])
    assert world.said == [_say(1), _say(2)]
    assert world.outbox.held == 0


def test_a_commit_holds_what_follows_in_its_step_and_in_later_ones() -> None:
    world = World()
    world.outbox.push([_say(1), _commit(1), _say(2)])
    world.outbox.push([_say(3)])
    assert world.said == [_say(1)]
    assert world.outbox.held == 3
    world.outbox.settle(None)
    assert world.said == [_say(1), _say(2), _say(3)]
    assert world.outbox.held == 0


def test_a_commit_weighs_as_much_as_it_changes() -> None:
    world = World()
    world.outbox.push([Commit(tuple(Put(Row(number)) for number in range(50))), _say(1)])
    assert world.outbox.held == 51
    world.outbox.settle(None)
    assert world.outbox.held == 0


def test_commits_are_submitted_at_once_and_release_one_after_the_other() -> None:
    world = World()
    world.outbox.push([_commit(1), _say(1)])
    world.outbox.push([_commit(2), _say(2)])
    assert world.submitted == [(Put(Row(1)),), (Put(Row(2)),)]
    assert world.said == []
    world.outbox.settle(None)
    assert world.said == [_say(1)]
    world.outbox.settle(None)
    assert world.said == [_say(1), _say(2)]


def test_a_store_that_settles_inside_submit_is_as_good() -> None:
    said: list[Effect] = []
    outbox = Outbox(lambda _: outbox.settle(None), said.append, lambda _: None)
    outbox.push([_say(1), _commit(1), _say(2)])
    outbox.push([_commit(2), _say(3)])
    assert said == [_say(1), _say(2), _say(3)]


def test_what_is_pushed_while_an_effect_is_carried_out_queues_behind() -> None:
    said: list[Effect] = []

    def carry_out(effect: Effect) -> None:
        said.append(effect)
        if effect == _say(1):
            outbox.push([_say(9)])

    outbox = Outbox(lambda _: None, carry_out, lambda _: None)
    outbox.push([_say(1), _say(2)])
    assert said == [_say(1), _say(2), _say(9)]


def test_after_a_failed_commit_nothing_is_said_any_more() -> None:
    world = World()
    error = OSError("disk full")
    world.outbox.push([_say(1), _commit(1), _say(2), _commit(2), _say(3)])
    world.outbox.settle(error)
    world.outbox.settle(error)
    world.outbox.push([_say(4)])
    assert world.said == [_say(1)]
    assert world.errors == [error]
    assert world.outbox.held == 0


@given(st.lists(st.sampled_from(["say", "commit", "settle"]), max_size=60))
def test_order_is_kept_and_no_word_overtakes_its_commit(steps: list[str]) -> None:
    world = World()
    pushed: list[Effect] = []
    settled = 0
    for number, step in enumerate(steps):
        if step == "settle":
            if settled < len(world.submitted):
                world.outbox.settle(None)
                settled += 1
        else:
            pushed.append(_say(number) if step == "say" else _commit(number))
            world.outbox.push(pushed[-1:])
        commits = [at for at, effect in enumerate(pushed) if isinstance(effect, Commit)]
        barrier = commits[settled] if settled < len(commits) else len(pushed)
        free = [effect for effect in pushed[:barrier] if not isinstance(effect, Commit)]
        assert world.said == free
