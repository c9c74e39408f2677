"""A user's program that listens over MQTT: gets its credentials, connects, decrypts what it hears."""

import base64
import json
from typing import Any

import msgspec

from firmware_sim.wire import mqtt
from firmware_sim.wire.ciphers import ecb_decrypt, gcm_decrypt
from fleet.cloud.messages import StreamClosed, StreamOpened, StreamReceived
from tests.cloud.open.program import Program

SMART_HOME = "/v1.0/open-hub/access/config"
INDUSTRY = "/v1.0/iot-03/open-hub/access-config"

_NONCE = slice(4, 16)  # after its length


class Listener:
    """One program, called `link_id`, of user `uid`."""

    def __init__(self, program: Program, uid: str, link_id: str = "one", version: str = "1.0"):
        self.program, self.world, self.uid = program, program.world, uid
        self.link_id, self.version = link_id, version
        self.config: dict[str, Any] = {}
        self.conn = 0

    def form(self) -> dict[str, Any]:
        return {
            "uid": self.uid,
            "link_id": self.link_id,
            "link_type": "mqtt",
            "topics": "device",
            "msg_encrypted_version": self.version,
        }

    def ask(self, path: str = SMART_HOME) -> dict[str, Any]:
        """Get the credentials; return and keep the result."""
        envelope = self.program.call("POST", path, {}, msgspec.json.encode(self.form()))
        assert envelope["success"], envelope
        self.config = envelope["result"]
        return self.config

    def connect(self, **change: str) -> int:
        """Connect with what was given, but for changes; return the CONNACK code."""
        own = {**self.config, **change}
        self.conn = next(self.world.conns)
        self.world.handle(StreamOpened(self.conn))
        (answer,) = self.say(
            mqtt.Connect(
                client_id=own["client_id"],
                username=own["username"],
                password=own["password"],
                keep_alive_s=0,
            )
        )
        assert isinstance(answer, mqtt.Connack)
        return answer.return_code

    def subscribe(self, topic: str = "", qos: int = 0) -> int:
        """Subscribe to what was named, or to `topic`; return the code."""
        wanted = topic or self.config["source_topic"]["device"]
        (answer,) = self.say(mqtt.Subscribe(packet_id=1, filters=((wanted, qos),)))
        assert isinstance(answer, mqtt.Suback)
        return answer.return_codes[0]

    def listen(self, path: str = SMART_HOME) -> "Listener":
        """Do all of that; return itself."""
        self.ask(path)
        assert self.connect() == 0
        assert self.subscribe() == 0
        return self

    def say(self, *packets: mqtt.Packet) -> list[mqtt.Packet]:
        self.world.handle(StreamReceived(self.conn, b"".join(map(mqtt.encode, packets))))
        return self.packets()

    def packets(self) -> list[mqtt.Packet]:
        return mqtt.Decoder().feed(self.world.streams.pop(self.conn, b""))

    def heard(self) -> list[dict[str, Any]]:
        """Return what came since the last time: envelopes with their data decrypted."""
        return [self._opened(one) for one in self.packets() if isinstance(one, mqtt.Publish)]

    def codes(self) -> list[str]:
        """Return the codes of the events that came, "report" for a report."""
        return [one["data"].get("bizCode", "report") for one in self.heard()]

    @property
    def cut(self) -> bool:
        """Tell whether the cloud closed the connection."""
        return self.conn in self.world.closed

    def drop(self) -> None:
        self.world.handle(StreamClosed(self.conn))

    def _opened(self, packet: mqtt.Publish) -> dict[str, Any]:
        assert packet.topic == self.config["source_topic"]["device"]
        envelope: dict[str, Any] = json.loads(packet.payload)
        key = self.config["password"][8:24].encode()
        data = base64.b64decode(envelope["data"])
        if self.version == "1.0":
            plain = ecb_decrypt(key, data)
        else:
            assert int.from_bytes(data[:4], "big") == 12
            plain = gcm_decrypt(key, data[_NONCE], data[16:], str(envelope["t"]).encode())
        return {**envelope, "data": json.loads(plain)}
