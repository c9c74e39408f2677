"""Somebody else's broker as a messenger: the cloud is an ordinary client of it.

Two lines (`fleet.cloud.external.lines`). The control line says who connects, leaves and subscribes,
and takes what is to be known of clients; it is a clean one, so what it says is in order and about
now. The devices line carries what devices say and are told. Its session is kept by the broker while
the cloud is away, and a message counts as taken only when what it changed is durable; so what a
device said at QoS 1 comes at least once, and again after a crash.

When a line is lost, both begin anew and everybody is taken for gone. Who was connected while nobody
listened is found out by a roll call: all are sent away, and those who are there come again. A broker
that does not even tell of the devices line itself is of no use.

One broker serves one cloud: two take the devices line from each other. As each process has a control
line by a name of its own, they see it, and say so.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached, Event
from fleet.cloud.app_links import AppLinks
from fleet.cloud.devices import Devices
from fleet.cloud.external import dynsec, emqx, mosquitto, roles
from fleet.cloud.external.address import Access, BrokerAddress
from fleet.cloud.external.clients import Clients
from fleet.cloud.external.lines import (
    AcknowledgeOnLine,
    BrokerPrepared,
    CloseLine,
    Line,
    LineDown,
    LineHeard,
    LinesWanted,
    LineUp,
    OpenLine,
    SayOnLine,
)
from fleet.cloud.external.presence import Presence
from fleet.cloud.external.provisioning import Provisioning
from fleet.cloud.external.signs import Came, Hears, Sign
from fleet.cloud.happenings import Happening, MessageReceived
from fleet.cloud.keys import LOWER, Entropy, random_text
from fleet.cloud.messages import ClockMoved, TellOperator
from fleet.cloud.messenger import AskedAtConnect, Doorkeeper
from fleet.cloud.settings import Settings

_NAME_SIZE = 8
_TELL_MS_MAX = 5_000
_TOLD_OF_US = 2  # signs: that we came, and what we hear
_STEADY_MS = 10_000  # lines that last so long are no reason for longer pauses
_PAUSE_FIRST_MS = 250
_PAUSE_MS_MAX = 15_000
_FROM_DEVICES = tuple(topic.removesuffix("+") for topic in roles.OWN_FILTERS)


class ExternalBroker:
    """The messenger of a cloud whose devices use a broker at `address`."""

    def __init__(
        self,
        address: BrokerAddress,
        devices: Devices,
        app_links: AppLinks,
        settings: Settings,
        entropy: Entropy,
        counts: Counter[str],
    ) -> None:
        """Wait for `LinesWanted`; what is remarkable is counted in `counts`."""
        clients = Clients(devices, app_links, settings)
        self._address = address
        self._counts = counts
        self._control_client = roles.CONTROL_CLIENT + random_text(entropy, _NAME_SIZE, LOWER)
        self._other_cloud = ""  # the control line of another one, which the operator was told of
        self._told_why = ""  # of the latest loss that the operator was told of
        self._is_missed = False  # whether they are to hear that the broker is back
        self._roll_call = settings.broker_roll_call
        self._provisioning: Provisioning | None = None
        self._read_sign = emqx.read_sign
        self._filters: tuple[str, ...] = emqx.FILTERS
        if address.access is Access.DYNSEC:
            self._provisioning = Provisioning(clients, settings, entropy, counts)
            self._read_sign = mosquitto.read_sign
            self._filters = (dynsec.TOPIC_ANSWERS, *mosquitto.FILTERS)
            app_links.own_names = True
        guess = self._provisioning is None or not self._roll_call
        self._presence = Presence(clients, guess=guess)
        self._sessions: dict[Line, int] = {}  # of the lines that are up
        self._asked: set[Line] = set()  # lines that are up or being opened
        self._told_of_us: set[type[Sign]] = set()
        self._told_due_ms: int | None = None  # by when the broker has to tell of ourselves
        self._retry_ms: int | None = None
        self._settled_ms: int | None = None  # since when all is well
        self._pause_ms = _PAUSE_FIRST_MS
        self._prepared = False
        self._acts: dict[type[Event], Callable[[Any, int, list[Effect]], list[Happening]]] = {
            LinesWanted: self._begin,
            LineUp: self._up,
            LineDown: self._down,
            LineHeard: self._hear,
            DeadlineReached: self._wake,
            ClockMoved: self._forgive,
        }

    @property
    def doorkeeper(self) -> Doorkeeper:
        """Return who keeps the broker's list of clients in step with the registry."""
        return self._provisioning if self._provisioning is not None else AskedAtConnect()

    # --- what the cloud asks ---------------------------------------------------------------------

    @property
    def clients(self) -> int:
        """Return how many clients are known to be connected."""
        return len(self._presence)

    def handle(self, event: Event, now_ms: int, out: list[Effect]) -> list[Happening]:
        """Take an event of the lines, or the time; return what happened to clients."""
        act = self._acts.get(type(event))
        return act(event, now_ms, out) if act is not None else []

    def next_deadline_ms(self) -> int | None:
        """Return when `DeadlineReached` is wanted next."""
        dues = [self._retry_ms, self._told_due_ms]
        if self._provisioning is not None:
            dues += [self._provisioning.due_ms, self._provisioning.silence_due_ms]
        return min((due_ms for due_ms in dues if due_ms is not None), default=None)

    def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int,
        tag: str,
        now_ms: int,  # noqa: ARG002 - nothing is sent again by us
        out: list[Effect],
    ) -> bool:
        """Send a message; return whether somebody is there to hear it.

        An answer at QoS 0 goes out in any case: the device asked a moment ago, and that it is there
        may be told later than what it says.
        """
        if Line.DEVICES not in self._sessions:
            return False
        heard = self._presence.send(topic, tag)
        if heard or qos == 0:
            out.append(SayOnLine(Line.DEVICES, topic, payload, qos))
        return heard

    def connected(self, client_id: str) -> bool:
        """Return whether the client is connected."""
        return client_id in self._presence

    def disconnect(self, client_id: str, out: list[Effect]) -> None:  # noqa: ARG002 - see below
        """Take the client for gone; the broker ends its connection with its credentials."""
        self._presence.forget(client_id)
        if self._provisioning is not None:
            self._provisioning.recheck(client_id)

    def review(self, username: str, now_ms: int, out: list[Effect]) -> None:
        """Let be: guests are the broker's, which asks about what each may do, if it asks at all."""

    # --- the lines -------------------------------------------------------------------------------

    def _begin(self, _event: LinesWanted, _now_ms: int, out: list[Effect]) -> list[Happening]:
        self._open(Line.CONTROL, self._address.username, self._address.password, out)
        return []

    def _open(self, line: Line, username: str, password: str, out: list[Effect]) -> None:
        is_control = line is Line.CONTROL
        client_id = self._control_client if is_control else roles.OWN_CLIENT
        filters = self._filters if is_control else roles.OWN_FILTERS
        with_qos = tuple((topic, 0 if is_control else 1) for topic in filters)
        self._asked.add(line)
        self._told_of_us.clear()
        out.append(OpenLine(line, client_id, username, password, with_qos, clean=is_control))

    def _up(self, event: LineUp, now_ms: int, out: list[Effect]) -> list[Happening]:
        if event.line not in self._asked:
            return []
        if event.refused:
            why = f"it does not let us subscribe to {', '.join(event.refused)}"
            return self._lose(why, now_ms, out)
        self._sessions[event.line] = event.session
        if self._provisioning is None:
            if event.line is Line.CONTROL:
                self._open(Line.DEVICES, self._address.username, self._address.password, out)
        elif event.line is Line.CONTROL:
            self._provisioning.begin(now_ms, out)
        elif self._roll_call:
            self._provisioning.call_the_roll(now_ms, out)
        if event.line is Line.DEVICES:
            self._told_due_ms = now_ms + _TELL_MS_MAX
            self._settle(now_ms, out)
        return []

    def _down(self, event: LineDown, now_ms: int, out: list[Effect]) -> list[Happening]:
        return self._lose(event.why, now_ms, out) if event.line in self._asked else []

    def _lose(self, why: str, now_ms: int, out: list[Effect]) -> list[Happening]:
        """Begin anew after a pause; until then nobody is there."""
        if self._settled_ms is not None and now_ms - self._settled_ms >= _STEADY_MS:
            self._pause_ms = _PAUSE_FIRST_MS
            self._told_why = ""
        self._settled_ms = None
        if self._prepared and why != self._told_why:
            self._told_why, self._is_missed = why, True
            out.append(TellOperator(f"broker: {why}; trying again"))
        self._counts["broker_lines_lost"] += 1
        out.extend(CloseLine(line, why) for line in Line if line in self._asked)
        self._asked.clear()
        self._sessions.clear()
        self._told_due_ms = None
        self._retry_ms = now_ms + self._pause_ms
        self._pause_ms = min(self._pause_ms * 2, _PAUSE_MS_MAX)
        if self._provisioning is not None:
            self._provisioning.end()
        return self._presence.clear()

    def _wake(self, _event: DeadlineReached, now_ms: int, out: list[Effect]) -> list[Happening]:
        if self._retry_ms is not None and self._retry_ms <= now_ms:
            self._retry_ms = None
            self._open(Line.CONTROL, self._address.username, self._address.password, out)
        if self._told_due_ms is not None and self._told_due_ms <= now_ms:
            return self._lose("it does not tell who connects and subscribes", now_ms, out)
        if self._provisioning is None:
            return []
        self._provisioning.wake(now_ms, out)
        due_ms = self._provisioning.silence_due_ms
        if due_ms is not None and due_ms <= now_ms:
            return self._lose("its dynamic security does not answer", now_ms, out)
        return []

    def _forgive(self, event: ClockMoved, _now_ms: int, _out: list[Effect]) -> list[Happening]:
        if self._retry_ms is not None:
            self._retry_ms += event.by_ms
        if self._told_due_ms is not None:
            self._told_due_ms += event.by_ms
        if self._settled_ms is not None:
            self._settled_ms += event.by_ms
        if self._provisioning is not None:
            self._provisioning.forgive(event.by_ms)
        return []

    def _settle(self, now_ms: int, out: list[Effect]) -> None:
        """See whether both lines do what they are for, and say once that devices may come."""
        if len(self._told_of_us) < _TOLD_OF_US or Line.DEVICES not in self._sessions:
            return
        self._told_due_ms = None
        if self._settled_ms is None:
            self._settled_ms = now_ms
        if self._provisioning is not None and not self._provisioning.done:
            return
        if not self._prepared:
            self._prepared = True
            out.append(BrokerPrepared())
        if self._is_missed:
            self._is_missed = False
            out.append(TellOperator("broker: connected again"))

    # --- what is heard ---------------------------------------------------------------------------

    def _hear(self, event: LineHeard, now_ms: int, out: list[Effect]) -> list[Happening]:
        if self._sessions.get(event.line) != event.session:
            return []  # of a connection that was given up since
        if event.line is Line.DEVICES:
            return self._hear_device(event, out)
        if event.topic == dynsec.TOPIC_ANSWERS:
            return self._hear_answer(event, now_ms, out)
        sign = self._read_sign(event.topic, event.payload)
        if sign is None:
            return []
        if sign.client_id == roles.OWN_CLIENT and isinstance(sign, Came | Hears):
            self._told_of_us.add(type(sign))
            self._settle(now_ms, out)
        if isinstance(sign, Came):
            self._look_for_others(sign, out)
        return self._presence.take(sign)

    def _look_for_others(self, came: Came, out: list[Effect]) -> None:
        """Tell the operator of another cloud that connects as we do."""
        is_control = came.client_id.startswith(roles.CONTROL_CLIENT)
        if not is_control or came.username != self._address.username:
            return
        if came.client_id not in (self._control_client, self._other_cloud):
            self._other_cloud = came.client_id
            line = "broker: another cloud connects to it too; end one, as they cut each other off"
            out.append(TellOperator(line))

    def _hear_device(self, event: LineHeard, out: list[Effect]) -> list[Happening]:
        if event.mid:
            out.append(AcknowledgeOnLine(event.session, event.mid))
        for beginning in _FROM_DEVICES:
            if event.topic.startswith(beginning):
                client_id = event.topic.removeprefix(beginning)
                received = MessageReceived(client_id, event.topic, event.payload)
                return [*self._presence.guess(client_id), received]
        return []

    def _hear_answer(self, event: LineHeard, now_ms: int, out: list[Effect]) -> list[Happening]:
        provisioning = self._provisioning
        if provisioning is None:
            return []
        provisioning.hear(event.payload, now_ms, out)
        if provisioning.failed:
            return self._lose("its dynamic security refuses what we need", now_ms, out)
        if provisioning.password and Line.DEVICES not in self._asked:
            self._open(Line.DEVICES, roles.OWN_CLIENT, provisioning.password, out)
        self._settle(now_ms, out)
        return []
