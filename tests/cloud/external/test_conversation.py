"""One message of commands at a time, its answers, and how much goes into the next."""

import json
from typing import Any

import pytest

from firmware_sim.effects import Effect
from firmware_sim.rng import Rng
from fleet.cloud.external.conversation import COMMANDS_MAX, Conversation
from fleet.cloud.external.dynsec import TOPIC_COMMANDS, Command
from fleet.cloud.external.lines import Line, SayOnLine

NOW = 1_000_000


class Talk:
    """A conversation and what it said last."""

    def __init__(self) -> None:
        self.talk = Conversation(Rng(1).bytes)
        self.asked: list[dict[str, Any]] = []

    def say(self, count: int = 1) -> None:
        out: list[Effect] = []
        self.talk.say([Command("createRole", rolename=f"r{n}") for n in range(count)], NOW, out)
        [effect] = out
        assert isinstance(effect, SayOnLine)
        assert (effect.line, effect.topic, effect.qos) == (Line.CONTROL, TOPIC_COMMANDS, 1)
        self.asked = json.loads(effect.payload)["commands"]

    def answer(self, *numbers: int, after_ms: int = 0, **fields: Any) -> Any:
        answers = [
            {"command": "createRole", **fields, "correlationData": self.name(n)} for n in numbers
        ]
        return self.talk.hear(json.dumps({"responses": answers}).encode(), NOW + after_ms)

    def name(self, number: int) -> str:
        return str(self.asked[number]["correlationData"])


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_answers_come_with_their_commands(talk: Talk) -> None:
    talk.say(2)
    assert talk.talk.busy
    said = talk.answer(1, 0)
    assert [command.rolename for command, _ in said] == ["r0", "r1"]
    assert not talk.talk.busy


def test_answers_may_come_in_parts(talk: Talk) -> None:
    talk.say(2)
    assert talk.answer(1, error="no") is None
    said = talk.answer(0)
    assert [answer.error for _, answer in said] == ["", "no"]


def test_what_others_say_is_no_answer(talk: Talk) -> None:
    assert talk.talk.hear(b'{"responses":[{"command":"getRole"}]}', NOW) is None
    talk.say()
    assert talk.talk.hear(b'{"responses":[{"command":"createRole"}]}', NOW) is None
    assert talk.talk.hear(b'{"responses":[{"correlationData":"x-1"}]}', NOW) is None
    assert talk.talk.hear(b"not json", NOW) is None
    assert talk.talk.busy
    assert talk.answer(0)


def test_names_are_never_used_twice(talk: Talk) -> None:
    names = set()
    for _ in range(3):
        talk.say(2)
        names |= {talk.name(0), talk.name(1)}
        talk.talk.stop()
    assert len(names) == 6


def test_silence_lasts_half_a_minute_at_most(talk: Talk) -> None:
    dues = [talk.talk.due_ms]
    talk.say()
    dues.append(talk.talk.due_ms)
    talk.talk.stop()
    dues.append(talk.talk.due_ms)
    assert dues == [None, NOW + 30_000, None]


def test_a_quick_broker_is_told_more_at_once_and_a_slow_one_less(talk: Talk) -> None:
    rooms = []
    for _ in range(5):
        talk.say(talk.talk.room)
        talk.answer(*range(len(talk.asked)))
        rooms.append(talk.talk.room)
    assert rooms == [16, 32, COMMANDS_MAX, COMMANDS_MAX, COMMANDS_MAX]
    for _ in range(8):
        talk.say(talk.talk.room)
        talk.answer(*range(len(talk.asked)), after_ms=301)
    assert talk.talk.room == 1
    talk.say()
    talk.answer(0, after_ms=200)
    assert talk.talk.room == 1, "neither quick nor slow"


def test_few_commands_say_nothing_of_how_quick_it_is(talk: Talk) -> None:
    room = talk.talk.room
    talk.say()
    talk.answer(0)
    assert talk.talk.room == room
