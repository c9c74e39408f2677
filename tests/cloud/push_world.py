"""A small world with push consumers: projects, connections without sockets, and what they hear.

Of each consumer only the active one may be sent anything, and nothing after it was closed: checked
with each effect.
"""

import json
from base64 import b64decode
from typing import Any

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached
from firmware_sim.wire.ciphers import NONCE_SIZE, ecb_decrypt, gcm_decrypt
from fleet.cloud.messages import PushRaised
from fleet.cloud.open.push_crypto import data_key, password
from fleet.cloud.projects import Project
from fleet.cloud.push_events import (
    AdmitConsumer,
    CloseConsumer,
    ConsumerClosed,
    ConsumerOpened,
    ConsumerReceived,
    ConsumerResumed,
    ConsumerStalled,
    RefuseConsumer,
    SendFrames,
)
from fleet.cloud.settings import Settings
from tests.cloud.support import CAMERA, OWNER, SETTINGS, World

ACCESS_ID = "tuyasim0client0id000"
SECRET = "0123456789abcdef0123456789abcdef"
QUERY = "ackTimeoutMillis=3000&subscriptionType=Failover"

Told = dict[str, Any]


class PushWorld(World):
    """A cloud in which the owner of the products has a project."""

    def __init__(self, **choices: Any) -> None:
        self.consumers: dict[int, Consumer] = {}
        settings: Settings = msgspec.structs.replace(SETTINGS, **choices)
        super().__init__(settings)
        self.project: Project = self.rule(
            lambda state: state.projects.add(OWNER, "app", access_id=ACCESS_ID, secret=SECRET)
        )

    def carry_out(self, effects: list[Effect]) -> None:
        others: list[Effect] = []
        for effect in effects:
            match effect:
                case AdmitConsumer():
                    assert self.consumers[effect.conn].state == "asking"
                    self.consumers[effect.conn].state = "in"
                case RefuseConsumer():
                    assert self.consumers[effect.conn].state == "asking"
                    self.consumers[effect.conn].state = f"{effect.status} {effect.text}"
                case SendFrames():
                    self.consumers[effect.conn].take(effect.texts)
                case CloseConsumer():
                    assert self.consumers[effect.conn].state == "in"
                    self.consumers[effect.conn].state = f"{effect.code} {effect.text}"
                case _:
                    others.append(effect)
        super().carry_out(others)

    def kill_and_restart(self) -> None:
        super().kill_and_restart()
        for consumer in self.consumers.values():
            consumer.state = "gone"

    def connect(self, channel: str = "event", **request: str) -> "Consumer":
        """Connect a consumer of the project, as the official client does but for `request`."""
        conn = next(self.conns)
        consumer = self.consumers[conn] = Consumer(self, conn)
        consumer.ask(channel, **request)
        return consumer

    def happen(self, number: int = 0, biz_code: str = "delete") -> None:
        """Let something happen to a device that is numbered, so that it can be told again."""
        data = msgspec.json.encode({"number": number})
        self.publish(PushRaised(biz_code, "bfdevice00000000000000", CAMERA, data, uid="uid0"))

    def publish(self, raised: PushRaised) -> None:
        """Let a happening be told, as a step of its own."""
        self.cloud._push.publish(raised, self.now_ms)
        self.carry_out(self.state.journal.take())

    def wait(self, duration_ms: int) -> None:
        """Let time pass, deadline by deadline."""
        end_ms = self.now_ms + duration_ms
        due_ms = self.cloud.next_deadline_ms()
        while due_ms is not None and due_ms <= end_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self.handle(DeadlineReached())
            due_ms = self.cloud.next_deadline_ms()
        self.now_ms = end_ms

    @property
    def unread(self) -> int:
        return len(self.state.push_backlog)


class Consumer:
    """One connection: "asking", "in", "gone", or why it was refused or closed."""

    def __init__(self, world: PushWorld, conn: int) -> None:
        self.world = world
        self.conn = conn
        self.state = "asking"
        self.deliveries: list[Told] = []

    def ask(
        self,
        channel: str,
        *,
        tenant: str = ACCESS_ID,
        name: str = f"{ACCESS_ID}-sub",
        username: str = ACCESS_ID,
        pw: str = password(ACCESS_ID, SECRET),
        query: str = QUERY,
        prefix: str = "",
        host: str = "127.0.0.1:8285",
    ) -> None:
        path = f"{prefix}/ws/v2/consumer/persistent/{tenant}/out/{channel}/{name}"
        target = f"{path}?{query}" if query else path
        self.world.handle(ConsumerOpened(self.conn, target, host, username, pw))

    def take(self, texts: tuple[bytes, ...]) -> None:
        assert self.state == "in", "nothing is sent to who is not, or no longer, there"
        self.deliveries += map(json.loads, texts)

    def heard(self) -> list[Told]:
        """Return what was delivered since the last call."""
        heard, self.deliveries = self.deliveries, []
        return heard

    def numbers(self) -> list[int]:
        """Do the same; return the numbers in the messages."""
        return [self.number(one) for one in self.heard()]

    def number(self, delivery: Told) -> int:
        """Return the number in a delivery."""
        return int(self.read(delivery)["bizData"]["number"])

    def read(self, delivery: Told) -> Told:
        """Return the message in a delivery."""
        envelope = json.loads(b64decode(delivery["payload"]).decode("ascii"))
        data, key = b64decode(envelope["data"]), data_key(SECRET)
        if delivery["properties"].get("em") == "aes_gcm":
            plain = gcm_decrypt(key, data[:NONCE_SIZE], data[NONCE_SIZE:], b"")
        else:
            plain = ecb_decrypt(key, data)
        return {"protocol": envelope["protocol"], "t": envelope["t"], **json.loads(plain)}

    def acknowledge(self, *deliveries: Told) -> None:
        self.say(*(json.dumps({"messageId": one["messageId"]}) for one in deliveries))

    def say(self, *texts: str) -> None:
        received = ConsumerReceived(self.conn, tuple(text.encode() for text in texts))
        self.world.handle(received)

    def stall(self) -> None:
        self.world.handle(ConsumerStalled(self.conn))

    def resume(self) -> None:
        self.world.handle(ConsumerResumed(self.conn))

    def close(self) -> None:
        self.state = "gone"
        self.world.handle(ConsumerClosed(self.conn))
