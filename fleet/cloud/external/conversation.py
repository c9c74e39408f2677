"""One message of commands at a time to the plugin of a broker, and all its answers.

As many commands go into a message as the broker carries out in a fraction of a second: it does
nothing else meanwhile, and firmware waits two seconds for its CONNACK
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/mqtt_service.c).
"""

from collections.abc import Sequence

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.errors import Malformed
from fleet.cloud.external.dynsec import (
    TOPIC_COMMANDS,
    Answer,
    Command,
    decode_answers,
    encode_commands,
)
from fleet.cloud.external.lines import Line, SayOnLine
from fleet.cloud.keys import LOWER, Entropy, random_text

COMMANDS_MAX = 64
_COMMANDS_FIRST = 8
_QUICK_MS = 100
_SLOW_MS = 300
_PATIENCE_MS = 30_000
_NAME_SIZE = 8

Said = list[tuple[Command, Answer]]


class Conversation:
    """Says commands and collects answers; `room` is how many the next message may have."""

    def __init__(self, entropy: Entropy) -> None:
        """Start in silence."""
        self._name = random_text(entropy, _NAME_SIZE, LOWER)  # others may talk to the plugin too
        self._serial = 0
        self._asked: dict[str, Command] = {}
        self._answers: dict[str, Answer] = {}
        self._asked_ms = 0
        self.room = _COMMANDS_FIRST

    @property
    def busy(self) -> bool:
        """Return whether answers are awaited."""
        return bool(self._asked)

    @property
    def due_ms(self) -> int | None:
        """Return when the broker has been silent for too long."""
        return self._asked_ms + _PATIENCE_MS if self._asked else None

    def say(self, commands: Sequence[Command], now_ms: int, out: list[Effect]) -> None:
        """Send commands; their answers will come together."""
        for command in commands:
            self._serial += 1
            name = f"{self._name}-{self._serial}"
            self._asked[name] = msgspec.structs.replace(command, correlation=name)
        self._asked_ms = now_ms
        payload = encode_commands(tuple(self._asked.values()))
        out.append(SayOnLine(Line.CONTROL, TOPIC_COMMANDS, payload, qos=1))

    def hear(self, payload: bytes, now_ms: int) -> Said | None:
        """Take a message of the plugin; return all commands with their answers once they are in."""
        try:
            answers = decode_answers(payload)
        except Malformed:
            return None  # of somebody else's doing: what we ask is answered in the known form
        self._answers.update(
            (answer.correlation, answer) for answer in answers if answer.correlation in self._asked
        )
        if not self._asked or len(self._answers) < len(self._asked):
            return None
        said = [(command, self._answers[name]) for name, command in self._asked.items()]
        self._adapt(len(said), now_ms - self._asked_ms)
        self.stop()
        return said

    def forgive(self, by_ms: int) -> None:
        """Let the broker not have been silent while the clock was moved."""
        self._asked_ms += by_ms

    def stop(self) -> None:
        """Await nothing any more."""
        self._asked.clear()
        self._answers.clear()

    def _adapt(self, commands: int, took_ms: int) -> None:
        if took_ms > _SLOW_MS:
            self.room = max(1, self.room // 2)
        elif took_ms < _QUICK_MS and commands >= self.room:
            self.room = min(COMMANDS_MAX, self.room * 2)
