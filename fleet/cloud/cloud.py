"""The cloud as a node: takes events of its HTTP and MQTT ports, returns effects.

Each event is one step. Whatever a step changes leaves as one `Commit` in front of everything that
the step says (see `ledger.Journal`), so nobody is ever told what a crash could take back. Time and
entropy come in; nothing here or below asks a clock or makes a random number.
"""

from collections.abc import Callable
from typing import cast, get_args

from firmware_sim.effects import Effect
from firmware_sim.errors import Malformed, PeerError, UsageError
from firmware_sim.events import DeadlineReached, Event
from firmware_sim.wire import atop, iot_dns, mqtt
from fleet.cloud.api import app_mqtt, broker_auth_api, envelope
from fleet.cloud.api.admin_api import Audit, audit
from fleet.cloud.api.broker_auth_api import BrokerAuthApi
from fleet.cloud.api.consent_page import ConsentPage
from fleet.cloud.api.device_api import SERVED, DeviceApi
from fleet.cloud.api.device_calls import DeviceCalls
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.api.iot_dns_api import Endpoints, resolve, vouch
from fleet.cloud.api.people import PREFIXES, PeopleApi
from fleet.cloud.broker import Broker, BrokerEvent, BrokerSettings, Directories
from fleet.cloud.counters import Counters
from fleet.cloud.directory import DeviceDirectory, GuestDirectory
from fleet.cloud.external import BrokerAddress, ExternalBroker, OutsideEvent
from fleet.cloud.keys import Entropy
from fleet.cloud.ledger import Loader
from fleet.cloud.messages import HttpRequested, PushRaised, SendReply
from fleet.cloud.messenger import AskedAtConnect, Doorkeeper, Messenger
from fleet.cloud.open import app_mqtt_api
from fleet.cloud.open.gateway import OpenApi
from fleet.cloud.open.regions import is_open_path
from fleet.cloud.open.table import ROUTES
from fleet.cloud.planting import plant
from fleet.cloud.push_events import ConsumerEvent
from fleet.cloud.push_topics import PushTopics
from fleet.cloud.seed import Seed
from fleet.cloud.settings import Settings, check_settings
from fleet.cloud.state import State
from fleet.cloud.user_deletion import delete_due

_OF_THE_BROKER = frozenset(get_args(BrokerEvent))
_OF_CONSUMERS = frozenset(get_args(ConsumerEvent))
_OF_PUSH = _OF_CONSUMERS | {DeadlineReached}
_TID_BYTES = 16
_OK = 200


class Cloud:
    """Routes each event to a service and collects the effects."""

    def __init__(
        self,
        settings: Settings,
        *,
        load: Loader,
        entropy: Entropy,
        endpoints: Endpoints,
        broker_settings: BrokerSettings | None = None,
        broker_address: BrokerAddress | None = None,
        counters: Counters | None = None,
    ) -> None:
        """Load the state with `load` (`Store.load`, or `ledger.nothing`).

        `entropy` returns unguessable bytes (`os.urandom`); in a rehearsal in virtual time it may
        be a seeded stream. `endpoints` is where devices are told that this cloud is. `counters`
        are those that the server keeps, for the admin API to show. UsageError for settings that
        are out of range.

        Devices use the broker at `broker_address`, or else the cloud's own one, for which are the
        `broker_settings`.
        """
        check_settings(settings)
        self._state = State(settings, load, entropy)
        self._entropy = entropy
        self._endpoints = endpoints
        calls = DeviceCalls(self._state)
        directories = Directories(
            DeviceDirectory(self._state.devices),
            self._state.app_links,
            GuestDirectory(self._state.guests, self._state.brake, settings),
        )
        messenger, self._doorkeeper = self._broker(directories, broker_settings, broker_address)
        self._messenger = messenger
        self._link = DeviceLink(self._state, calls, messenger, self._doorkeeper, entropy)
        self._broker_auth = BrokerAuthApi(self._state, directories, broker_address)
        self._device_api = DeviceApi(self._state, calls, self._link, endpoints, entropy)
        routes = (*ROUTES, *app_mqtt_api.routes(_mqtt_url(endpoints)))
        self._open_api = OpenApi(self._state, self._link, entropy, routes)
        self._push = PushTopics(self._state, entropy)
        self._people = PeopleApi(self._state, self._link, self._push, counters or Counters())
        self._consent_page = ConsentPage(self._state, entropy)

    def _broker(
        self,
        directories: Directories,
        settings: BrokerSettings | None,
        address: BrokerAddress | None,
    ) -> tuple[Messenger, Doorkeeper]:
        state = self._state
        if address is None:
            own = Broker(
                directories, settings, shelf=state.mqtt_shelf, retained=state.mqtt_retained
            )
            return own, AskedAtConnect()
        external = ExternalBroker(
            address, state.devices, state.app_links, state.settings, self._entropy, state.counts
        )
        return external, external.doorkeeper

    @property
    def empty(self) -> bool:
        """Tell whether nobody and nothing is registered, so that a seed may be applied."""
        state = self._state
        return not (len(state.accounts) or len(state.users) or len(state.devices))

    def apply_seed(self, seed: Seed, now_ms: int) -> list[Effect]:
        """Fill an empty cloud; returns the commit. UsageError for a seed that cannot be."""
        if not self.empty:
            raise UsageError("this cloud is not empty: start it on an empty data folder to seed it")
        plant(self._state, seed, now_ms)
        return self._state.journal.take()

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take an event and return effects in order.

        Events are those of `fleet.cloud.messages` and `fleet.cloud.push_events`, and
        `DeadlineReached`.
        """
        kind, effects = type(event), self._state.journal.effects
        if kind is HttpRequested:
            event = cast("HttpRequested", event)
            effects.append(self._reply(event, now_ms))
        elif kind in _OF_THE_BROKER or isinstance(event, OutsideEvent):
            self._link.handle(event, now_ms)
        elif kind not in _OF_CONSUMERS:
            raise UsageError(f"a cloud does not take {kind.__name__}")
        if kind is DeadlineReached:
            delete_due(self._state, self._link, now_ms)
            app_mqtt.end_those_over(self._state, self._link, now_ms)
        self._link.greet_arrivals(now_ms)
        if kind in _OF_PUSH:
            self._push.handle(cast("ConsumerEvent | DeadlineReached", event), now_ms)
        if effects:
            self._tell_programs(effects, now_ms)
        self._doorkeeper.conclude(self._state.journal.changes, now_ms, effects)
        return self._state.journal.take()

    def _tell_programs(self, effects: list[Effect], now_ms: int) -> None:
        """Tell what has happened to the programs of developers and users, where there are any."""
        state = self._state
        happened = [effect for effect in effects if type(effect) is PushRaised]
        if not happened or not (len(state.projects) or len(state.app_links)):
            return
        for raised in happened:
            self._push.publish(raised, now_ms)
            app_mqtt.tell(state, self._link, self._entropy, raised, now_ms)

    @property
    def state(self) -> State:
        """Return all that is remembered, for a checker in the same process."""
        return self._state

    def audit(self) -> Audit:
        """Return the books as the admin API shows them, for a checker in the same process."""
        return audit(self._state, self._link)

    def next_deadline_ms(self) -> int | None:
        """Return when `DeadlineReached` is wanted next, or None."""
        state, first_ms = self._state, self._messenger.next_deadline_ms()
        for due_ms in (
            self._push.next_deadline_ms(),
            state.users.next_deletion_ms,
            state.app_links.next_end_ms,
        ):
            if due_ms is not None and (first_ms is None or due_ms < first_ms):
                first_ms = due_ms
        return first_ms

    # --- to explain a run, in the same process ---------------------------------------------------

    def handler_of(self, request: HttpRequested) -> Callable[..., object]:
        """Return the function that answers a request, as far as tables say which one it is."""
        path = request.target.partition("?")[0]
        if (request.method, path) in SERVED:
            try:
                return self._device_api.handler_of(atop.decode_query(request.target).a)
            except PeerError:
                return self._device_api.handle
        if path in (iot_dns.PATH, iot_dns.QUERY_PATH):
            return resolve if path == iot_dns.PATH else vouch
        route = self._people.route_of(request.method, path)
        if route is not None:
            return route.handler
        return self._open_api.answer if is_open_path(path) else self._answer

    def act_of(self, packet: mqtt.Packet) -> Callable[..., object]:
        """Return the function that takes a packet of a client of its own broker."""
        act = self._messenger.act_of(type(packet)) if isinstance(self._messenger, Broker) else None
        return act or self._link.handle

    def taker_of(self, protocol: int) -> Callable[..., object] | None:
        """Return the function that takes a message of that number, None if nothing does."""
        return self._link.act_of(protocol)

    # --- requests -------------------------------------------------------------------------------

    def _reply(self, request: HttpRequested, now_ms: int) -> SendReply:
        path = request.target.partition("?")[0]
        if self._consent_page.serves(path):
            return self._consent_page.answer(request, now_ms)
        return SendReply(request.exchange, _OK, self._answer(request, path, now_ms))

    def _answer(self, request: HttpRequested, path: str, now_ms: int) -> bytes:
        if is_open_path(path):
            return self._open_api.answer(request, path, now_ms)
        if path in broker_auth_api.PATHS:
            return self._broker_auth.answer(request, path, now_ms)
        if not request.target.isascii():
            return envelope.failure(Malformed("a request target is ASCII"), now_ms)
        if (request.method, path) in SERVED:
            ip = request.headers.get("x-peer-ip", "")
            return self._device_api.handle(request.target, request.body, now_ms, ip)
        if request.method == "POST" and path == iot_dns.PATH:
            return resolve(self._endpoints, request.body, now_ms)
        if request.method == "POST" and path == iot_dns.QUERY_PATH:
            return vouch(self._endpoints, request.body)
        if path.startswith(PREFIXES):
            return self._people.answer(request, path, now_ms)
        return envelope.unknown_path(self._entropy(_TID_BYTES).hex(), now_ms)


def _mqtt_url(endpoints: Endpoints) -> str:
    """Return where programs of users reach the broker: where devices do, encrypted if they are."""
    scheme = "ssl" if endpoints.https_url.startswith("https:") else "tcp"
    return f"{scheme}://{endpoints.mqtt_address}"
