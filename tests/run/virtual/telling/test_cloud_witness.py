"""What a witness of the cloud tells: who asks, which function answers, what is committed and said."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import msgspec

from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.trace import Trace
from firmware_sim.runtime.virtual.wan import Stream
from firmware_sim.wire import atop, iot_dns, mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.ciphers import aes_key
from firmware_sim.wire.mqtt_payload import SOURCE_DEVICE, PayloadVersion
from fleet.app.carrier import Request
from fleet.cloud.messages import HttpRequested
from fleet.cloud.settings import Settings
from fleet.run.virtual.cloud import VirtualCloud
from fleet.run.virtual.telling.cloud_witness import NOBODY, CloudWitness
from fleet.run.virtual.telling.line import Line, Lines, Turn
from tests.cloud.support import OWNER, PASSWORD, START_MS, seed

UUIDS = [f"uuid{n:04}" for n in range(4)]
ADDRESSES = [f"10.0.0.{n}" for n in range(4)]
DEV_ID, SEC_KEY, LOCAL_KEY = f"bfdevice{1:014}", f"secret{1:010}", f"local{1:011}"
AUTH_KEY = f"authkey{1:025}"
PLACE = "fleet/cloud/"


class Client:
    """A connection of a device to the broker."""

    def __init__(self) -> None:
        self.conn = 0

    def deliver(self, _: bytes) -> None:
        """Hear nothing."""

    def hang_up(self) -> None:
        """Feel nothing."""


class Scene:
    """A cloud, its witness, and what that has told."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        settings = Settings(password_iterations=1)
        self.cloud = VirtualCloud(loop.agenda, settings, seed, 1, Trace())
        self.told: list[tuple[int, Lines]] = []
        witness = CloudWitness(
            self.cloud, loop.agenda, UUIDS, ADDRESSES, lambda _, n, lines: self.told.append((n, lines))
        )  # fmt: skip
        self.cloud.started.append(witness.started)
        self.cloud.arrived.append(witness.arrived)
        self.cloud.decided.append(witness.decided)
        self.cloud.start()

    async def person(self, method: str, target: str, session: str = "", body: object = None) -> Any:
        request = Request(method, target, None, session, msgspec.json.encode(body or {}))
        return msgspec.json.decode(await self.cloud.exchange(request))["result"]

    async def log_in(self, api: str, name: str) -> str:
        body = {"name": name, "password": PASSWORD}
        session: str = (await self.person("POST", f"/{api}/v1/login", body=body))["session"]
        return session

    def call(self, target: str, body: bytes = b"", ip: str = ADDRESSES[1]) -> tuple[int, Lines]:
        self.cloud._handle(HttpRequested(99, "POST", target, {"x-peer-ip": ip}, body))
        return self.told[-1]

    def connect(self, name: str, key: str) -> Stream:
        stream = cast("Stream", Client())
        self.cloud.opened(stream)
        password = mqtt_payload.mqtt_password(key)
        self.say(stream, mqtt.Connect(name, name, password))
        return stream

    def say(self, stream: Stream, *packets: mqtt.Packet) -> tuple[int, list[Line]]:
        self.cloud.heard(stream, b"".join(mqtt.encode(packet) for packet in packets))
        index, lines = self.told[-1]
        return index, list(lines)


def play(story: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        await story(Scene())

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Agenda(START_MS))) as runner:
        runner.run(whole())


def texts(lines: Lines | list[Line]) -> list[str]:
    return [line.text for line in lines if not line.aside]


# --- people -------------------------------------------------------------------------------------


def test_people_are_told_by_name_with_the_function_that_answers() -> None:
    async def story(scene: Scene) -> None:
        session = await scene.log_in("console", OWNER)
        _, lines = scene.told[-1]
        assert lines[0].who == OWNER
        assert lines[0].text == "log in: POST /console/v1/login"
        assert lines[0].place.startswith(f"{PLACE}api/console_api.py:")
        assert [line.who for line in lines[1:]] == ["cloud", "cloud"]
        assert lines[1].text == "commits session of the console"
        ordered = await scene.person("POST", "/console/v1/unbind-tokens", session, {"method": "qr"})
        batch = ordered["batch"]
        index, lines = scene.told[-1]
        assert (index, lines[0].who, lines[0].turn) == (NOBODY, OWNER, Turn.UNBIND)
        assert (lines[1].text, lines[1].batch) == (
            f"commits batch {batch}: 0 of 30 devices",
            batch,
        )
        await scene.person("GET", "/console/v1/history?batch=" + batch, session)
        assert scene.told[-1][1][0].batch == batch

    play(story)


def test_consumers_and_strangers_have_names_too() -> None:
    async def story(scene: Scene) -> None:
        session = await scene.log_in("app", "user1")
        await scene.person("POST", "/app/v1/pair-tokens", session)
        assert scene.told[-1][1][0].who == "user1"
        request = Request("GET", "/app/v1/devices", None, "", b"")
        await scene.cloud.exchange(request)
        _, lines = scene.told[-1]
        assert lines[0].who == "somebody"
        assert lines[-1].text.startswith("-> refused, no_session, ")

    play(story)


# --- devices over HTTP --------------------------------------------------------------------------


def test_a_call_of_a_device_is_told_with_its_handler_and_its_answer() -> None:
    async def story(scene: Scene) -> None:
        data = messages.encode(messages.StampRequest(t=START_MS // 1000))
        target, body = atop.encode_request(
            messages.INFO_SYNC.name, "1.0", START_MS // 1000, SEC_KEY, data, dev_id=DEV_ID
        )
        index, lines = scene.call(target, body)
        assert index == 1
        assert lines[0].text.endswith(f"signed by device {DEV_ID}")
        assert lines[0].place.startswith(f"{PLACE}api/device_calls.py:")
        assert texts(lines)[-1].startswith("-> success, ")
        index, lines = scene.call(target.replace("sign=", "sign=0"), body)
        assert texts(lines)[-1].startswith("-> refused, BAD_SIGN, ")

    play(story)


def test_odd_calls_are_told_as_well() -> None:
    async def story(scene: Scene) -> None:
        _, lines = scene.call("/d.json?broken", b"x")
        assert lines[0].text == "<- HTTP /d.json, 15 B"
        assert lines[0].place.startswith(f"{PLACE}api/device_api.py:")
        target, body = atop.encode_request("tuya.device.odd", "1.0", 1, "k" * 16, b"{}", uuid="?")
        _, lines = scene.call(target, body)
        assert texts(lines)[-1].startswith("-> refused, DEVICE_UNKNOWN, ")
        _, lines = scene.call(iot_dns.PATH, iot_dns.encode_request(iot_dns.Request("pro")))
        assert texts(lines)[-1].startswith("-> the servers are at ")
        _, lines = scene.call("/nowhere")
        assert lines[0].place.startswith(f"{PLACE}cloud.py:")

    play(story)


# --- devices over MQTT --------------------------------------------------------------------------


def test_what_a_device_says_over_mqtt_is_told_with_what_takes_it() -> None:
    async def story(scene: Scene) -> None:
        stream = scene.connect(DEV_ID, SEC_KEY)
        index, lines = scene.told[-1]
        assert index == 1
        assert lines[0].text.startswith(f"<- MQTT CONNECT as {DEV_ID}, ")
        assert lines[0].place.startswith(f"{PLACE}broker/broker.py:")
        assert texts(lines)[-1] == "-> MQTT CONNACK 0 (come in), 4 B"
        assert any(line.text == "pushes online to the developers" for line in lines if line.aside)
        topics = (mqtt.Subscribe(n, ((f"smart/device/in/{DEV_ID}", 1),)) for n in (1, 2))
        _, told = scene.say(stream, *topics)
        assert told[0].place.startswith(f"{PLACE}broker/conversation.py:")
        assert texts(told)[-1] == "-> MQTT SUBACK, 10 B"
        dps = mqtt_payload.encode_dp_report(DEV_ID, 1, b'{"1":true}')
        sealed = mqtt_payload.encode(
            aes_key(LOCAL_KEY), dps, 1, SOURCE_DEVICE, PayloadVersion.V22, b""
        )
        _, told = scene.say(stream, mqtt.Publish(f"smart/device/out/{DEV_ID}", sealed))
        assert "protocol 4, these are my data points" in told[0].text
        assert told[0].place.startswith(f"{PLACE}api/device_link.py:")
        call = mqtt_rpc.encode_request(1, messages.TIME_GET.name, "1.0", 1, b'{"t":1}')
        _, told = scene.say(stream, mqtt.Publish(f"rpc/req/{DEV_ID}", call))
        assert told[0].place.startswith(f"{PLACE}api/device_calls.py:")
        for topic in ("smart/device/out/", "rpc/req/"):
            _, told = scene.say(stream, mqtt.Publish(topic + DEV_ID, b"garbage"))
            assert told[0].place.startswith(f"{PLACE}broker/conversation.py:")

    play(story)


def test_a_device_without_keys_is_known_by_its_uuid() -> None:
    async def story(scene: Scene) -> None:
        scene.connect(mqtt_payload.client_id_unpaired(UUIDS[1]), AUTH_KEY)
        assert scene.told[-1][0] == 1

    play(story)


def test_packets_in_pieces_pings_and_ends() -> None:
    async def story(scene: Scene) -> None:
        stream = scene.connect(DEV_ID, SEC_KEY)
        scene.cloud.heard(stream, b"\xc0")
        assert scene.told[-1][1][0].text == "<- MQTT part of a packet, 1 B"
        scene.cloud.heard(stream, b"\x00")
        assert texts(scene.told[-1][1]) == []  # a ping and its answer
        scene.cloud.lost(stream)
        index, lines = scene.told[-1]
        assert index == 1
        assert lines[0].text == "its MQTT client is gone"
        assert "offline" in texts(lines)[1]
        stream = scene.connect(DEV_ID, SEC_KEY)
        scene.cloud.heard(stream, b"\x00\x00")
        assert any(line.text == "closes an MQTT connection" for line in scene.told[-1][1])

    play(story)


def test_each_life_of_the_cloud_begins_without_clients() -> None:
    async def story(scene: Scene) -> None:
        assert [texts(lines) for _, lines in scene.told] == [["takes connections from now on"]]
        stream = scene.connect(DEV_ID, SEC_KEY)
        await scene.cloud.be_away(1, politely=True)
        assert texts(scene.told[-1][1]) == ["takes connections from now on"]
        scene.cloud._streams[stream.conn] = stream
        scene.cloud.lost(stream)
        assert scene.told[-1][0] == NOBODY

    play(story)


def test_who_had_said_goodbye_is_told_to_be_gone_aside() -> None:
    async def story(scene: Scene) -> None:
        stream = scene.connect("nobody", "no key")  # refused: it was never in
        scene.told.clear()
        scene.cloud._streams[stream.conn] = stream
        scene.cloud.lost(stream)
        assert all(line.aside for _, lines in scene.told for line in lines)

    play(story)


def test_what_others_are_told_because_of_a_step_belongs_to_them() -> None:
    async def story(scene: Scene) -> None:
        stream = scene.connect(DEV_ID, SEC_KEY)
        scene.say(stream, mqtt.Subscribe(1, ((f"smart/device/in/{DEV_ID}", 1),)))
        session = await scene.log_in("app", "user1")
        scene.told.clear()
        await scene.person("DELETE", f"/app/v1/devices/{DEV_ID}", session)
        of_device = [lines for index, lines in scene.told if index == 1]
        assert "protocol 11, reset yourself" in of_device[0][0].text

    play(story)


def test_keys_and_tokens_are_never_told() -> None:
    async def story(scene: Scene) -> None:
        session = await scene.log_in("app", "user1")
        token = (await scene.person("POST", "/app/v1/pair-tokens", session))["token"]
        await scene.person("GET", f"/app/v1/pair-tokens/{token}", session)
        scene.connect(DEV_ID, SEC_KEY)
        everything = repr(scene.told)
        secrets = (session, token, token[2:10], PASSWORD, SEC_KEY, LOCAL_KEY, AUTH_KEY)
        assert not any(secret in everything for secret in secrets)

    play(story)
