"""A stand-in for Mosquitto with dynamic security: as much of it as the cloud can tell.

Texts and rules are those of Mosquitto 2.0.11 (plugins/dynamic-security, src/loop.c); the live tests
hold the same stories against the real one.
"""

import json
from collections import deque
from typing import Any

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached
from firmware_sim.wire import atop, mqtt_payload
from firmware_sim.wire import atop_messages as messages
from fleet.cloud.cloud import Cloud
from fleet.cloud.external import parse_address
from fleet.cloud.external.dynsec import TOPIC_ANSWERS
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
from fleet.cloud.external.mosquitto import TOPIC_NOTICES, TOPIC_SUBSCRIBED, TOPIC_UNSUBSCRIBED
from fleet.cloud.external.roles import GROUP, OWN_CLIENT
from fleet.cloud.messages import HttpRequested
from fleet.cloud.settings import Settings
from tests.cloud.support import ENDPOINTS, SETTINGS, FakeDevice, World

ADMIN, PASSWORD = "admin", "secret"
ADDRESS = parse_address(f"mqtt://{ADMIN}:{PASSWORD}@127.0.0.1:1883")

Json = dict[str, Any]


class Plugin:
    """What the plugin keeps in its file, and whom a command made it send away."""

    def __init__(self) -> None:
        self.clients: dict[str, Json] = {}
        self.roles: dict[str, Json] = {}
        self.groups: dict[str, Json] = {}
        self.writes = 0
        self.kicked: list[str] = []
        self.errors: dict[str, str] = {}  # to give to commands, by name

    def admits(self, username: str, password: str) -> bool:
        client = self.clients.get(username)
        return client is not None and not client.get("disabled") and client["password"] == password

    def carry_out(self, payload: bytes) -> bytes:
        responses = [self._answer(command) for command in json.loads(payload)["commands"]]
        return json.dumps({"responses": responses}).encode()

    def _answer(self, command: Json) -> Json:
        name = command["command"]
        answer: Json = {"command": name, "correlationData": command["correlationData"]}
        error = self.errors.get(name) or getattr(self, name)(command, answer)
        return {**answer, "error": error} if error else answer

    def _changed(self, *kicked: str) -> None:
        self.writes += 1
        self.kicked += kicked

    def createRole(self, command: Json, _: Json) -> str:  # noqa: N802 - the plugin's words
        if command["rolename"] in self.roles:
            return "Role already exists"
        self.roles[command["rolename"]] = command
        self._changed()
        return ""

    def modifyRole(self, command: Json, _: Json) -> str:  # noqa: N802
        if command["rolename"] not in self.roles:
            return "Role not found"
        self.roles[command["rolename"]] = command
        self._changed()
        return ""

    def deleteRole(self, command: Json, _: Json) -> str:  # noqa: N802
        if self.roles.pop(command["rolename"], None) is None:
            return "Role not found"
        self._changed()
        return ""

    def createGroup(self, command: Json, _: Json) -> str:  # noqa: N802
        if command["groupname"] in self.groups:
            return "Group already exists"
        self.groups[command["groupname"]] = command
        self._changed()
        return ""

    def modifyGroup(self, command: Json, _: Json) -> str:  # noqa: N802
        if command["groupname"] not in self.groups:
            return "Group not found"
        self._changed(*(u for u, c in self.clients.items() if _is_in(c, command["groupname"])))
        return ""

    def createClient(self, command: Json, _: Json) -> str:  # noqa: N802
        if command["username"] in self.clients:
            return "Client already exists"
        if any(role["rolename"] not in self.roles for role in command["roles"]):
            return "Role not found"
        self.clients[command["username"]] = command
        self._changed()
        return ""

    def deleteClient(self, command: Json, _: Json) -> str:  # noqa: N802
        if self.clients.pop(command["username"], None) is None:
            return "Client not found"
        self._changed(command["username"])
        return ""

    def modifyClient(self, command: Json, _: Json) -> str:  # noqa: N802
        return self._modify(command, "password", "textdescription", "roles")

    def disableClient(self, command: Json, _: Json) -> str:  # noqa: N802
        return self._modify({**command, "disabled": True}, "disabled")

    def enableClient(self, command: Json, _: Json) -> str:  # noqa: N802
        kicked = list(self.kicked)
        error = self._modify({**command, "disabled": False}, "disabled")
        self.kicked = kicked
        return error

    def _modify(self, command: Json, *fields: str) -> str:
        client = self.clients.get(command["username"])
        if client is None:
            return "Client not found"
        self.clients[command["username"]] = client | {
            field: command[field] for field in fields if field in command
        }
        self._changed(command["username"])
        return ""

    def listClients(self, command: Json, answer: Json) -> str:  # noqa: N802
        names = sorted(self.clients)
        part = names[command["offset"] : command["offset"] + command["count"]]
        hidden = ("password", "command", "correlationData")
        shown = [{k: v for k, v in self.clients[name].items() if k not in hidden} for name in part]
        answer["data"] = {"totalCount": len(names), "clients": shown}
        return ""


def _is_in(client: Json, group: str) -> bool:
    return any(one["groupname"] == group for one in client.get("groups", ()))


class AtMosquitto(World):
    """A world whose devices use a Mosquitto; `begin` connects the cloud to it."""

    def __init__(self, settings: Settings = SETTINGS, **options: Any) -> None:
        self.plugin = Plugin()
        self.sessions: dict[Line, int] = {}  # sessions
        self.todo: deque[Any] = deque()
        self.said: list[SayOnLine] = []
        self.commands: list[bytes] = []
        self.whys: list[str] = []  # why lines were closed
        self.acknowledged: list[int] = []
        self.prepared = 0
        self.control_client = ""
        self.refused_filters: tuple[str, ...] = ()
        self.out_of_reach = False
        self.tells = True  # who connects
        self.mute = False  # the plugin does not answer
        self.here: dict[str, str] = {}  # connected clients: user name by client id
        self._last_session = 0
        super().__init__(settings, **options)

    def load(self) -> Cloud:
        return Cloud(
            self.settings,
            load=self.store.load,
            entropy=self.entropy,
            endpoints=ENDPOINTS,
            broker_address=ADDRESS,
        )

    def begin(self) -> None:
        self.handle(LinesWanted())
        self.settle()

    def kill_and_restart(self) -> None:
        super().kill_and_restart()
        self.sessions.clear()
        self.todo.clear()
        self.begin()

    def settle(self) -> None:
        while self.todo:
            self.handle(self.todo.popleft())

    def send(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        authorization: str = "",
        headers: dict[str, str] | None = None,
    ) -> bytes:
        """Send a request; return the answer, or b"" while it is kept back."""
        exchange = next(self.exchanges)
        told = {"authorization": authorization, **(headers or {})}
        self.handle(HttpRequested(exchange, method, target, told, body))
        self.settle()
        self.last_exchange = exchange
        return self.replies.pop(exchange, b"")

    def next_due(self) -> int | None:
        return self.cloud.next_deadline_ms()

    def later(self, ms: int) -> None:
        self.now_ms += ms
        due_ms = self.cloud.next_deadline_ms()
        if due_ms is not None and due_ms <= self.now_ms:
            self.handle(DeadlineReached())
        self.settle()

    def carry_out(self, effects: list[Effect]) -> None:
        ours = [effect for effect in effects if not self._do(effect)]
        super().carry_out(ours)

    def _do(self, effect: Effect) -> bool:
        match effect:
            case OpenLine():
                self._open(effect)
            case CloseLine():
                self.sessions.pop(effect.line, None)
                self.whys.append(effect.why)
            case SayOnLine(line=Line.CONTROL):
                self._command(effect.payload)
            case SayOnLine():
                self.said.append(effect)
            case AcknowledgeOnLine():
                self.acknowledged.append(effect.mid)
            case BrokerPrepared():
                self.prepared += 1
            case _:
                return False
        return True

    def _open(self, wish: OpenLine) -> None:
        if wish.line is Line.CONTROL:
            self.control_client = wish.client_id
        is_admin = (wish.username, wish.password) == (ADMIN, PASSWORD)
        if self.out_of_reach:
            self.todo.append(LineDown(wish.line, "it is not there"))
        elif not is_admin and not self.plugin.admits(wish.username, wish.password):
            self.todo.append(LineDown(wish.line, "not authorized"))
        else:
            self._last_session += 1
            self.sessions[wish.line] = self._last_session
            self.todo.append(LineUp(wish.line, self._last_session, self.refused_filters))
            if wish.line is Line.DEVICES and self.tells:
                here = f"127.0.0.1:5 as {OWN_CLIENT} (p2, c0, k30, u'{OWN_CLIENT}')"
                self.note(TOPIC_NOTICES, f"New client connected from {here}.")
                self.note(TOPIC_SUBSCRIBED, f"{OWN_CLIENT} 1 {wish.filters[0][0]}")

    def _command(self, payload: bytes) -> None:
        self.commands.append(payload)
        if not self.mute:
            self._carry_out(payload)

    def answer(self, payload: bytes) -> None:
        """Carry out what was not answered when it was said."""
        self._carry_out(payload)
        self.settle()

    def _carry_out(self, payload: bytes) -> None:
        answers = self.plugin.carry_out(payload)
        self.hear(TOPIC_ANSWERS, answers)
        kicked, self.plugin.kicked = self.plugin.kicked, []
        for client_id in [c for c, username in self.here.items() if username in kicked]:
            self.leave(client_id, "been disconnected by administrative action")

    # --- what the broker tells ------------------------------------------------------------------

    def hear(self, topic: str, payload: bytes, line: Line = Line.CONTROL, mid: int = 0) -> None:
        session = self.sessions.get(line)
        if session is not None:
            self.todo.append(LineHeard(line, session, topic, payload, mid))

    def note(self, topic: str, text: str) -> None:
        self.hear(topic, f"{self.now_ms // 1000}: {text}".encode())

    def come(self, client_id: str, password: str, *topics: str) -> int:
        """Let a client connect and subscribe; return the CONNACK code."""
        if not self.plugin.admits(client_id, password):
            return 5
        self.here[client_id] = client_id
        said = (
            f"New client connected from 127.0.0.1:5 as {client_id} (p2, c1, k120, u'{client_id}')."
        )
        self.note(TOPIC_NOTICES, said)
        for topic in topics:
            self.note(TOPIC_SUBSCRIBED, f"{client_id} 1 {topic}")
        self.settle()
        return 0

    def leave(self, client_id: str, how: str = "disconnected") -> None:
        self.here.pop(client_id, None)
        self.note(TOPIC_NOTICES, f"Client {client_id} {how}.")

    def unsubscribe(self, client_id: str, topic: str) -> None:
        self.note(TOPIC_UNSUBSCRIBED, f"{client_id} {topic}")


def ours(plugin: Plugin) -> list[str]:
    """Return the clients that are in the common group."""
    return sorted(name for name, client in plugin.clients.items() if _is_in(client, GROUP))


def topics_of(device: FakeDevice) -> tuple[str, str, str]:
    """Return what an activated device subscribes to."""
    return (
        mqtt_payload.topic_in(device.dev_id),
        mqtt_payload.topic_rpc_response(device.dev_id),
        mqtt_payload.topic_rpc_file(device.dev_id),
    )


def go_online(device: FakeDevice) -> int:
    """Let a device of such a world connect with what it has; return the CONNACK code."""
    world = device.world
    assert isinstance(world, AtMosquitto)
    return world.come(device.dev_id, mqtt_payload.mqtt_password(device.sec_key), *topics_of(device))


def activation(device: FakeDevice, token: str) -> tuple[str, bytes]:
    """Return a signed call."""
    now_s = device.world.now_ms // 1000
    request = messages.activation_request(token[2:10], device.product_id, "1.2.3", now_s)
    return atop.encode_request(
        messages.ACTIVE.name,
        messages.ACTIVE.version,
        now_s,
        device.auth_key,
        msgspec.json.encode(request),
        uuid=device.uuid,
        et=atop.ET_ECB,
        nonce=b"",
    )
