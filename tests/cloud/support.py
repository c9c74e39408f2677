"""A small world around one cloud: a clock, a store, people with sessions, devices with keys.

Every step is checked for what a cloud promises: at most one commit, and it comes first. The
devices speak the real wire formats; only the transport is missing.
"""

import itertools
from collections.abc import Callable
from typing import Any, cast

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.rng import Rng
from firmware_sim.wire import atop, mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.ciphers import aes_key
from fleet.cloud.api.iot_dns_api import Endpoints
from fleet.cloud.cloud import Cloud
from fleet.cloud.ledger import Ledger
from fleet.cloud.messages import (
    JSON,
    CloseStream,
    Commit,
    HttpRequested,
    PushRaised,
    SendReply,
    SendStream,
    StreamClosed,
    StreamOpened,
    StreamReceived,
    TellOperator,
)
from fleet.cloud.permissions import GrantKind, Permission
from fleet.cloud.products import Binding
from fleet.cloud.reasons import Refused
from fleet.cloud.seed import (
    AccountSeed,
    DeviceSeed,
    GrantSeed,
    ProductSeed,
    RoleSeed,
    Seed,
    UserSeed,
)
from fleet.cloud.settings import Settings
from fleet.cloud.state import State
from fleet.cloud.store.memory import MemoryStore

DAY_MS = 86_400_000
START_MS = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
ADMIN = "the-admin-secret"
ENDPOINTS = Endpoints("https://127.0.0.1:8443/d.json", "127.0.0.1:8883", ("Y2VydGlmaWNhdGU=",))
SETTINGS = Settings(password_iterations=1, admin_secret=ADMIN)

OWNER, PARTNER, REPAIR, BUYER, STRANGER = "maker", "partner", "repair", "buyer", "stranger"
CAMERA, RECORDER, PLUG = "camera0000000001", "recorder00000001", "plug000000000001"
PASSWORD = "correct horse"


def seed(devices: int = 4, product_id: str = CAMERA) -> Seed:
    """Return people, three products, and `devices` devices of one of them, all bound."""
    return Seed(
        accounts=tuple(
            AccountSeed(name=name, password=PASSWORD)
            for name in (OWNER, PARTNER, REPAIR, BUYER, STRANGER)
        ),
        users=tuple(
            UserSeed(uid=f"uid{n}", name=f"user{n}", password=PASSWORD) for n in range(devices + 2)
        ),
        products=(
            ProductSeed(product_id=CAMERA, name="Camera", category="sp", owner=OWNER),
            ProductSeed(
                product_id=RECORDER,
                name="Recorder",
                category="nvr",
                owner=OWNER,
                binding=Binding.MEDIUM,
            ),
            ProductSeed(
                product_id=PLUG, name="Plug", category="cz", owner=OWNER, binding=Binding.WEAK
            ),
        ),
        roles=(RoleSeed(owner=OWNER, name="returns", permissions=(Permission.UNBIND,)),),
        grants=(
            GrantSeed(
                owner=OWNER,
                kind=GrantKind.PARTNER,
                grantee=PARTNER,
                role="development",
                products=(CAMERA, RECORDER),
            ),
            GrantSeed(
                owner=OWNER,
                kind=GrantKind.SPACE,
                grantee=REPAIR,
                role="After sale",
                products=(CAMERA, RECORDER, PLUG),
            ),
            GrantSeed(
                owner=OWNER,
                kind=GrantKind.PARTNER,
                grantee=BUYER,
                role="purchase",
                products=(CAMERA,),
            ),
        ),
        devices=tuple(
            DeviceSeed(
                uuid=f"uuid{n:04}",
                auth_key=f"authkey{n:025}",
                product_id=product_id,
                dev_id=f"bfdevice{n:014}",
                sec_key=f"secret{n:010}",
                local_key=f"local{n:011}",
                owner=f"uid{n}",
            )
            for n in range(devices)
        ),
    )


class World:
    """One cloud on one memory store, with its clock in `now_ms`."""

    def __init__(self, settings: Settings = SETTINGS, start: Seed | None = None) -> None:
        self.settings = settings
        self.now_ms = START_MS
        self.store = MemoryStore()
        self.entropy = Rng(7).bytes
        self.cloud = self.load()
        self.pushes: list[PushRaised] = []
        self.lines: list[str] = []
        self.streams: dict[int, bytes] = {}
        self.closed: set[int] = set()
        self.replies: dict[int, bytes] = {}
        self.commits = 0
        self.exchanges = itertools.count(1)
        self.conns = itertools.count(1)
        self.carry_out(self.cloud.apply_seed(start or seed(), self.now_ms))

    @property
    def state(self) -> State:
        return self.cloud._state

    def load(self) -> Cloud:
        """Return another cloud on what the store holds now."""
        return Cloud(self.settings, load=self.store.load, entropy=self.entropy, endpoints=ENDPOINTS)

    def kill_and_restart(self) -> None:
        """Start over with what was committed; all connections are gone."""
        self.cloud = self.load()
        self.streams.clear()

    def carry_out(self, effects: list[Effect]) -> None:
        assert sum(isinstance(effect, Commit) for effect in effects) <= 1
        for index, effect in enumerate(effects):
            match effect:
                case Commit():
                    assert index == 0, "nothing is said before it is durable"
                    self.commits += 1
                    self.store.submit(effect.changes, lambda _error: None)
                case SendReply():
                    assert effect.status == 200 or effect.headers != JSON
                    self.last_reply = effect
                    self.replies[effect.exchange] = effect.body
                case SendStream():
                    self.streams[effect.conn] = self.streams.get(effect.conn, b"") + effect.data
                case CloseStream():
                    self.closed.add(effect.conn)
                case PushRaised():
                    self.pushes.append(effect)
                case TellOperator():
                    self.lines.append(effect.line)
                case _:
                    raise AssertionError(effect)

    def handle(self, event: Event) -> None:
        self.carry_out(self.cloud.handle(event, self.now_ms))

    def rule(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Carry out one rule on the state as a step of its own; return its result or refusal."""
        try:
            return rule(self.state, *args, **kwargs)
        except Refused as refusal:
            return refusal
        finally:
            self.carry_out(self.state.journal.take())

    # --- people ---------------------------------------------------------------------------------

    def send(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        authorization: str = "",
        headers: dict[str, str] | None = None,
    ) -> bytes:
        exchange = next(self.exchanges)
        told = {"authorization": authorization, **(headers or {})}
        self.handle(HttpRequested(exchange, method, target, told, body))
        return self.replies.pop(exchange)

    def ask(self, method: str, target: str, form: object = None, session: str = "") -> Any:
        """Send a request of a person's program; return the envelope."""
        body = b"" if form is None else msgspec.json.encode(form)
        authorization = f"Bearer {session}" if session else ""
        return msgspec.json.decode(self.send(method, target, body, authorization))

    def get(self, method: str, target: str, form: object = None, session: str = "") -> Any:
        """Do the same and return the result of a success."""
        envelope = self.ask(method, target, form, session)
        assert envelope["success"], envelope
        assert envelope["t"] == self.now_ms
        return envelope["result"]

    def refusal(self, method: str, target: str, form: object = None, session: str = "") -> str:
        """Do the same and return the code of a refusal."""
        envelope = self.ask(method, target, form, session)
        assert not envelope["success"], envelope
        assert set(envelope) == {"success", "code", "msg", "t"}
        return cast("str", envelope["code"])

    def account(self, name: str) -> str:
        form = {"name": name, "password": PASSWORD}
        return cast("str", self.get("POST", "/console/v1/login", form)["session"])

    def consumer(self, number: int) -> str:
        form = {"name": f"user{number}", "password": PASSWORD}
        return cast("str", self.get("POST", "/app/v1/login", form)["session"])

    def unbind_token(self, session: str, **form: object) -> dict[str, Any]:
        wanted = {"method": "qr", **form}
        return cast(
            "dict[str, Any]", self.get("POST", "/console/v1/unbind-tokens", wanted, session)
        )

    def pair_token(self, session: str) -> str:
        return cast("str", self.get("POST", "/app/v1/pair-tokens", {}, session)["token"])

    def history(self, session: str, query: str = "") -> list[dict[str, Any]]:
        page = self.get("GET", f"/console/v1/history{query}", None, session)
        return cast("list[dict[str, Any]]", page["rows"])

    def log(self, uuid: str) -> list[str]:
        return [row.event for row in self.state.device_log.page(uuid).rows]


class FakeDevice:
    """The chip: what it keeps in flash, and one MQTT connection at most."""

    def __init__(self, world: World, number: int, product_id: str = CAMERA) -> None:
        self.world = world
        kept = next(d for d in seed(number + 1, product_id).devices if d.uuid == f"uuid{number:04}")
        self.uuid, self.auth_key = kept.uuid, kept.auth_key
        self.product_id = product_id
        self.dev_id, self.sec_key, self.local_key = kept.dev_id, kept.sec_key, kept.local_key
        self.conn = 0

    # --- HTTP -----------------------------------------------------------------------------------

    def call(
        self, api: str, data: object, version: str = "1.0", *, as_uuid: bool = False
    ) -> atop.Inner:
        """Make one signed call and return the reply, whichever way it is encrypted."""
        key = self.auth_key if as_uuid else self.sec_key
        target, body = atop.encode_request(
            api,
            version,
            self.world.now_ms // 1000,
            key,
            msgspec.json.encode(data),
            uuid=self.uuid if as_uuid else None,
            dev_id=None if as_uuid else self.dev_id,
        )
        return atop.decode_inner(atop.decode_reply(self.world.send("POST", target, body), key))

    def activate(self, token: str, product_id: str = "") -> str:
        """Try a token text of 14 characters; return the error code, or "" and keep the keys."""
        request = messages.activation_request(
            token[2:10], product_id or self.product_id, "1.2.3", self.world.now_ms // 1000
        )
        inner = self.call(messages.ACTIVE.name, request, messages.ACTIVE.version, as_uuid=True)
        if not inner.success:
            assert inner.error_msg
            return inner.error_code
        self.granted = messages.decode(inner.result, messages.ActivationResult)
        messages.check_record(self.granted)
        self.dev_id, self.sec_key = self.granted.dev_id, self.granted.sec_key
        self.local_key = self.granted.local_key
        return ""

    def sync(self) -> str:
        inner = self.call(messages.INFO_SYNC.name, {"t": 1})
        if not inner.success:
            return inner.error_code
        return messages.decode(inner.result, messages.SyncResult).status.value

    # --- MQTT -----------------------------------------------------------------------------------

    def connect(self) -> int:
        """Connect with what is kept; return the CONNACK code."""
        return self.connect_as(self.dev_id, mqtt_payload.mqtt_password(self.sec_key))

    def connect_as(self, client_id: str, password: str, username: str | None = None) -> int:
        self.conn = next(self.world.conns)
        self.world.handle(StreamOpened(self.conn))
        packet = mqtt.Connect(
            client_id=client_id,
            username=username or client_id,
            password=password,
            keep_alive_s=120,
        )
        (answer,) = self.say(packet)
        assert isinstance(answer, mqtt.Connack)
        return answer.return_code

    def subscribe(self, *topics: str) -> list[mqtt.Packet]:
        """Subscribe to `topics`, or to the three of an activated device."""
        own = (
            mqtt_payload.topic_in(self.dev_id),
            mqtt_payload.topic_rpc_response(self.dev_id),
            mqtt_payload.topic_rpc_file(self.dev_id),
        )
        filters = tuple((topic, 1) for topic in topics or own)
        return self.say(mqtt.Subscribe(packet_id=1, filters=filters))

    def say(self, *packets: mqtt.Packet) -> list[mqtt.Packet]:
        """Send packets; return those that came back."""
        data = b"".join(map(mqtt.encode, packets))
        self.world.handle(StreamReceived(self.conn, data))
        return self.heard()

    def heard(self) -> list[mqtt.Packet]:
        return mqtt.Decoder().feed(self.world.streams.pop(self.conn, b""))

    def told(self, packets: list[mqtt.Packet]) -> list[mqtt_payload.Message]:
        """Return the messages among packets, decrypted."""
        return [
            mqtt_payload.decode(aes_key(self.local_key), packet.payload)
            for packet in packets
            if isinstance(packet, mqtt.Publish)
        ]

    def acknowledge(self, packets: list[mqtt.Packet]) -> None:
        for packet in packets:
            if isinstance(packet, mqtt.Publish) and packet.qos == 1:
                self.say(mqtt.Puback(packet.packet_id))

    def go_online(self) -> list[mqtt.Packet]:
        assert self.connect() == 0
        return self.subscribe()

    def drop(self) -> None:
        self.world.handle(StreamClosed(self.conn))

    def report(self, dps: bytes) -> None:
        json = mqtt_payload.encode_dp_report(self.dev_id, self.world.now_ms // 1000, dps)
        payload = mqtt_payload.encode(aes_key(self.local_key), json, 1, mqtt_payload.SOURCE_DEVICE)
        self.say(mqtt.Publish(topic=mqtt_payload.topic_out(self.dev_id), payload=payload))

    def rpc(self, api: str, data: bytes = b"{}") -> mqtt_rpc.Response:
        payload = mqtt_rpc.encode_request(7, api, "1.0", self.world.now_ms // 1000, data)
        topic = mqtt_payload.topic_rpc_request(self.dev_id)
        (answer,) = self.say(mqtt.Publish(topic=topic, payload=payload))
        assert isinstance(answer, mqtt.Publish)
        return mqtt_rpc.decode_response(answer.payload)


# --- the same after a restart -------------------------------------------------------------------


def snapshot(state: State) -> dict[str, Any]:
    """Return everything that the services remember, in a form that can be compared."""
    services = {name: getattr(state, name) for name in State.__slots__}
    transient = {"settings", "journal", "brake", "counts", "open_calls", "app_links", "reach"}
    return {name: _plain(s) for name, s in services.items() if name not in transient}


def _plain(thing: Any) -> Any:
    if isinstance(thing, msgspec.Struct):
        return {"is": type(thing).__name__, **msgspec.structs.asdict(thing)}
    if isinstance(thing, Ledger):
        return {key: _plain(row) for key, row in thing._rows.items()}
    if isinstance(thing, dict):
        return {key: _plain(value) for key, value in thing.items() if value or value == 0}
    if isinstance(thing, list):
        return sorted((_plain(one) for one in thing), key=repr)
    if type(thing).__module__.startswith("fleet.cloud") and not callable(thing):
        slots = getattr(type(thing), "__slots__", None) or vars(thing)
        hidden = {"_settings", "_journal", "_entropy", "_first_id", "_in_order"}  # two are no facts
        return {name: _plain(getattr(thing, name)) for name in slots if name not in hidden}
    return thing if isinstance(thing, str | int | tuple) else None


def assert_reloads(world: World) -> None:
    """A cloud started on the store now knows exactly what this one knows."""
    assert snapshot(world.load()._state) == snapshot(world.state)
