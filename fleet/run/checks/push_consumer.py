"""A developer's program that consumes the push messages of a run, as carelessly as programs are.

It acknowledges what it reads, but sometimes forgets to, and sometimes hangs up and comes back later;
after a crash of the cloud it connects anew. When it is told to behave, it does neither.
"""

import msgspec

from firmware_sim.rng import Rng
from firmware_sim.runtime.virtual.agenda import Agenda
from fleet.cloud.open.push_crypto import password
from fleet.run.seeding import Access
from fleet.run.virtual.push_line import Knock, PushLines

ACK_TIMEOUT_MS = 5_000  # after that a message is sent again
AGAIN_MS = 1_000  # between two attempts to connect
AWAYS_MS = (1, 3_000)  # the other consumer takes over; with luck it is away as well
READ_MS = 2
FORGETS_ONE_IN = 12  # messages
LEAVES_ONE_IN = 40  # deliveries


class Told(msgspec.Struct, frozen=True, rename="camel"):
    """What matters of a message."""

    message_id: str


class Consumer:
    """One of the consumers of a project's production topic, which take turns (failover)."""

    def __init__(self, agenda: Agenda, lines: PushLines, access: Access, seed: int) -> None:
        """Prepare; `access` is the key of the project."""
        self._agenda = agenda
        self._lines = lines
        self._rng = Rng(seed)
        name = access.access_id
        self._knock = Knock(
            f"/ws/v2/consumer/persistent/{name}/out/event/{name}-sub"
            f"?ackTimeoutMillis={ACK_TIMEOUT_MS}&subscriptionType=Failover",
            name,
            password(name, access.secret),
        )
        self._line = 0
        self.behaves = False

    def begin(self) -> None:
        """Connect, and stay connected from now on."""
        self._line = self._lines.open(self, self._knock)

    def took(self, line: int, texts: tuple[bytes, ...]) -> None:
        """Read messages and acknowledge them."""
        if line != self._line:
            return
        read = [text for text in texts if self.behaves or self._rng.below(FORGETS_ONE_IN)]
        self._agenda.after(READ_MS, self._acknowledge, line, tuple(read))
        if not (self.behaves or self._rng.below(LEAVES_ONE_IN)):
            self._line = 0
            self._lines.close(line)
            away_ms = AWAYS_MS[self._rng.below(len(AWAYS_MS))]
            self._agenda.after(away_ms, self.begin)

    def lost(self, line: int) -> None:
        """Connect anew."""
        if line == self._line:
            self._line = 0
            self._agenda.after(AGAIN_MS, self.begin)

    def _acknowledge(self, line: int, texts: tuple[bytes, ...]) -> None:
        # It may have hung up meanwhile: then the line does not take it.
        names = (msgspec.json.decode(text, type=Told).message_id for text in texts)
        words = tuple(msgspec.json.encode({"messageId": name}) for name in names)
        if words:
            self._lines.say(line, words)
