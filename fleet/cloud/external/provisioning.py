"""Keeps the clients of a Mosquitto in step with the registry, by its dynamic security plugin.

Each client has a role of its own with its topics, and is in a group that forbids all else. What the
broker knows is asked once per connection, as the description of a client holds a fingerprint of
its password. From then on what a step of the cloud changes is told at once, and the rest after it.
Clients of devices that this cloud does not know are left as they are.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from itertools import chain
from typing import NamedTuple

from firmware_sim.effects import Effect
from firmware_sim.errors import Malformed
from fleet.cloud.devices import ACTIVATION_CLIENT
from fleet.cloud.external import roles
from fleet.cloud.external.clients import Clients, changed_names
from fleet.cloud.external.conversation import Conversation, Said
from fleet.cloud.external.dynsec import Command, page_of
from fleet.cloud.external.kept_back import KeptBack
from fleet.cloud.external.knowledge import Knowledge
from fleet.cloud.keys import Entropy, random_text
from fleet.cloud.messages import TellOperator
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Change

_PAGE = 500
_TRIES_MAX = 3
_PASSWORD_SIZE = 32
_MANY = 200  # so many clients take their time

Then = Callable[[Said, int, list[Effect]], None]


class _Errand(NamedTuple):
    commands: list[Command]
    then: Then


class Provisioning:
    """The doorkeeper of a broker with dynamic security."""

    takes_guests = False

    def __init__(
        self, clients: Clients, settings: Settings, entropy: Entropy, counts: Counter[str]
    ) -> None:
        """Wait for the control line; passwords are made from `entropy`."""
        self._settings = settings
        self._entropy = entropy
        self._counts = counts
        self._talk = Conversation(entropy)
        self._knowledge = Knowledge(clients)
        self._kept_back = KeptBack()
        self._expected: tuple[str, bytes] | None = None
        self._unrecorded: list[str] = []  # client ids that the step under way changed
        self._errands: deque[_Errand] = deque()
        self._under_way: _Errand | None = None
        # Client ids to be seen to: those somebody waits for, those that changed, all others.
        self._urgent: dict[str, None] = {}
        self._soon: dict[str, None] = {}
        self._later: dict[str, None] = {}
        self._todo = (self._urgent, self._soon, self._later)
        self._told: dict[str, None] = {}  # those in the message under way
        self._tries: Counter[str] = Counter()
        self._given_up: dict[str, None] = {}
        self._strangers = 0
        self._listed = False
        self.password = ""  # of our own client, as soon as the broker knows it
        self.failed = False

    # --- the control line -----------------------------------------------------------------------

    def begin(self, now_ms: int, out: list[Effect]) -> None:
        """Start over: the line is up."""
        self.end()
        password = random_text(self._entropy, _PASSWORD_SIZE)

        def made(said: Said, _now_ms: int, _out: list[Effect]) -> None:
            if any(answer.exists for _, answer in said[-2:]):  # its role, or itself
                self._errands.append(_Errand(roles.change_own_client(password), known))
            else:
                known(said, _now_ms, _out)

        def known(said: Said, _now_ms: int, _out: list[Effect]) -> None:
            self.failed = any(answer.error and not answer.exists for _, answer in said)
            self.password = "" if self.failed else password
            self._errands.append(self._list_from(0))

        self._errands.append(_Errand(roles.first_commands(password), made))
        self._go_on(now_ms, out)

    def end(self) -> None:
        """Take note that the line is down: what the broker knows may change meanwhile."""
        self._talk.stop()
        self._knowledge.clear()
        self._errands.clear()
        self._under_way = None
        for names in (*self._todo, self._told, self._tries, self._given_up):
            names.clear()
        self._listed = self.failed = False
        self.password = ""

    def call_the_roll(self, now_ms: int, out: list[Effect]) -> None:
        """Send every client away, so that all who are there come again and are told of."""

        def called(_said: Said, _now_ms: int, _out: list[Effect]) -> None:
            self._counts["broker_roll_calls"] += 1

        self._errands.appendleft(_Errand([roles.send_all_away(now_ms)], called))
        self._go_on(now_ms, out)

    def hear(self, payload: bytes, now_ms: int, out: list[Effect]) -> None:
        """Take a message of the plugin."""
        said = self._talk.hear(payload, now_ms)
        errand = self._under_way
        if said is None or errand is None:
            return
        self._counts["broker_commands"] += len(said)
        self._under_way = None
        errand.then(said, now_ms, out)
        self._go_on(now_ms, out)
        self._kept_back.release(self._lacks, now_ms, out)

    @property
    def done(self) -> bool:
        """Return whether the broker has been told all that it has to know."""
        busy = self._under_way is not None or self._errands or any(self._todo)
        return self._listed and not busy

    @property
    def silence_due_ms(self) -> int | None:
        """Return when the broker's silence will be a fault."""
        return self._talk.due_ms

    def forgive(self, by_ms: int) -> None:
        """Let no time have passed while the clock was moved."""
        self._talk.forgive(by_ms)
        self._kept_back.forgive(by_ms)

    # --- steps of the cloud ---------------------------------------------------------------------

    @property
    def due_ms(self) -> int | None:
        """Return when `wake` is wanted."""
        return self._kept_back.due_ms

    def wake(self, now_ms: int, out: list[Effect]) -> None:
        """Let go what was kept back for too long."""
        self._kept_back.release(self._lacks, now_ms, out)

    def expect(self, client_id: str, otherwise: bytes) -> None:
        """Keep back the answer of this step until the client would be let in."""
        self._expected = client_id, otherwise

    def conclude(self, changes: Iterable[Change], now_ms: int, out: list[Effect]) -> None:
        """Tell the broker what a step changed, and keep its answer back if need be."""
        expected, self._expected = self._expected, None
        unrecorded, self._unrecorded = self._unrecorded, []
        if self._listed:
            for name in chain(changed_names(changes), unrecorded):
                waits = name.startswith(ACTIVATION_CLIENT)
                self._mark(name, self._later if waits else self._soon)
            if expected is not None:
                self._mark(expected[0], self._urgent)
            self._go_on(now_ms, out)
        if expected is not None and self._lacks(expected[0]):
            due_ms = now_ms + self._settings.broker_wait_ms
            self._kept_back.keep(*expected, due_ms, out)

    def recheck(self, client_id: str) -> None:
        """Take note that the step under way changes a client of which there is no record."""
        self._unrecorded.append(client_id)

    def _mark(self, name: str, wanted: dict[str, None]) -> None:
        """See to a client when it is its turn among those `wanted` as soon, or before that."""
        if name not in self._told and not self._knowledge.commands(name):
            return
        self._given_up.pop(name, None)
        first = next(names for names in self._todo if names is wanted or name in names)
        for names in self._todo:
            names.pop(name, None)
        first[name] = None

    def _lacks(self, client_id: str) -> bool:
        """Say whether the broker has to be told something of a client before it lets it in."""
        todo = (*self._todo, self._told, self._given_up)
        return not self._listed or any(client_id in names for names in todo)

    # --- what is said ---------------------------------------------------------------------------

    def _go_on(self, now_ms: int, out: list[Effect]) -> None:
        """Say what is next, unless something is under way."""
        if self._talk.busy or self.failed:
            return
        if not self._errands:
            commands = self._batch()
            if not commands:
                return
            self._errands.append(_Errand(commands, self._learn))
        self._under_way = self._errands.popleft()
        self._talk.say(self._under_way.commands, now_ms, out)

    def _batch(self) -> list[Command]:
        """Take clients as long as there is room for the commands that see to them."""
        batch: list[Command] = []
        for names in self._todo:
            while names and len(batch) < self._talk.room:
                name = next(iter(names))
                del names[name]
                commands = self._knowledge.commands(name)
                if commands:
                    self._told[name] = None
                    batch += commands
        return batch

    def _learn(self, said: Said, _now_ms: int, out: list[Effect]) -> None:
        """Note what came of a batch; what did not work is tried again, but not for ever."""
        told = list(self._told)
        self._told.clear()
        for command, answer in said:
            if not self._knowledge.learn(command, answer):
                self._counts["broker_commands_refused"] += 1
        for name in told:
            if not self._knowledge.commands(name):
                self._tries.pop(name, None)
                continue
            self._tries[name] += 1
            if self._tries[name] < _TRIES_MAX:
                self._soon[name] = None
            else:
                self._give_up(name, out)

    def _give_up(self, name: str, out: list[Effect]) -> None:
        self._given_up[name] = None
        del self._tries[name]
        if not self._counts["broker_clients_given_up"]:
            line = "broker: a client cannot be made known; its log says why. There may be more"
            out.append(TellOperator(line))
        self._counts["broker_clients_given_up"] += 1

    # --- what the broker knows ------------------------------------------------------------------

    def _list_from(self, offset: int) -> _Errand:
        """Return the errand that asks for the broker's clients, a page of them."""

        def listed(said: Said, _now_ms: int, out: list[Effect]) -> None:
            try:
                page = page_of(said[0][1])
            except Malformed:
                self.failed = True
                return
            for entry in page.entries:
                self._knowledge.take(entry)
            seen = offset + len(page.entries)
            if page.entries and seen < page.total:
                self._errands.append(self._list_from(seen))
            else:
                self._take_stock(out)

        command = Command("listClients", verbose=True, count=_PAGE, offset=offset)
        return _Errand([command], listed)

    def _take_stock(self, out: list[Effect]) -> None:
        """See what there is to be done."""
        self._listed = True
        for name in self._kept_back.client_ids:
            self._mark(name, self._urgent)
        for name in self._knowledge.names():
            self._mark(name, self._later)
        if len(self._later) >= _MANY:
            line = f"broker: {len(self._later)} clients are to be made known, which takes a while"
            out.append(TellOperator(line))
        strangers = self._knowledge.strangers()
        if strangers and strangers != self._strangers:
            line = f"broker: {strangers} clients of devices that this cloud does not know are left"
            out.append(TellOperator(line))
        self._strangers = strangers
