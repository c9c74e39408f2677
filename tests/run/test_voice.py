"""What tampered firmware says is what firmware says, and what comes back is one word."""

import asyncio

import pytest

from firmware_sim.events import MqttClosed, MqttOpened, MqttReceived
from firmware_sim.rng import Rng
from firmware_sim.wire import atop, mqtt, mqtt_payload
from firmware_sim.wire import atop_messages as messages
from fleet.app.errors import CloudUnreachable
from fleet.run.door import Line
from fleet.run.voice import CLOSED, DONE, UNREADABLE, Asked, Voice
from hw_profiles import catalog

NOW_S = 1_767_225_600
KEY = "k" * 16
MODELS = ("ipc-red-green", "ipc-new", "ipc-old")


class Server:
    """A door to a server of a few lines: `reply` is the inner JSON of its answers.

    `answers` are the packets that it sends back, one after each that it is sent; None: it closes.
    """

    def __init__(self, reply: bytes = b"", *answers: mqtt.Packet | None) -> None:
        self.reply = reply
        self.answers = list(answers)
        self.asked: list[tuple[str, bytes]] = []
        self.heard: list[mqtt.Packet] = []
        self.line = Line()
        self.left = 0

    async def call(self, target: str, body: bytes) -> bytes:
        self.asked.append((target, body))
        return self.reply

    async def dial(self) -> Line:
        self.line = Line()
        self.line.stream = self
        self.line.tell(MqttOpened())
        return self.line

    def write(self, data: bytes) -> None:
        self.heard += mqtt.Decoder().feed(data)
        answer = self.answers.pop(0)
        event = MqttClosed("closed") if answer is None else MqttReceived(mqtt.encode(answer))
        self.line.tell(event)

    def leave(self) -> None:
        self.left += 1


def voice(server: Server, model: str = "ipc-red-green") -> Voice:
    return Voice(server, catalog.load(model), "product", Rng(1), lambda: NOW_S * 1000)


def query(asked: Asked) -> atop.Query:
    return atop.decode_query(asked.target)


@pytest.mark.parametrize("model", MODELS)
def test_it_signs_and_encrypts_as_firmware_of_its_generation(model: str) -> None:
    said = voice(Server(), model)
    asked = said.activation("uuid", "a" * 32, "token678", "dev")
    atop.check_sign(asked.target, "a" * 32)
    data = atop.decode_data(query(asked), asked.body, "a" * 32)
    request = messages.decode(data, messages.ActivationRequest)
    assert (query(asked).uuid, request.dev_id, request.product_key) == ("uuid", "dev", "product")
    assert "token678" in (request.token, query(asked).other[10:18])
    for call in (said.reset("dev", KEY), said.existence("dev", KEY)):
        atop.check_sign(call.target, KEY)
        assert query(call).dev_id == "dev"
        atop.decode_data(query(call), call.body, KEY)


def test_its_clock_may_be_wrong() -> None:
    assert query(voice(Server()).reset("dev", KEY)).t == NOW_S
    assert query(voice(Server()).reset("dev", KEY, skew_s=-3600)).t == NOW_S - 3600


@pytest.mark.parametrize(
    ("inner", "word"),
    [
        (atop.encode_success(None, NOW_S), DONE),
        (atop.encode_error("BAD_SIGN", "no", NOW_S), "BAD_SIGN"),
        (b"nonsense", UNREADABLE),
    ],
)
def test_an_answer_is_one_word(inner: bytes, word: str) -> None:
    said = voice(Server(inner))
    assert asyncio.run(said.say(said.reset("dev", KEY))) == word


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        (atop.encode_success(b'{"exist":true}', NOW_S), True),
        (atop.encode_success(b'{"exist":false}', NOW_S), False),
        (atop.encode_success(None, NOW_S), False),
        (atop.encode_error("GATEWAY_NOT_EXISTS", "", NOW_S), False),
        (b"nonsense", False),
    ],
)
def test_it_can_ask_whether_it_is_somebody_s(inner: bytes, *, found: bool) -> None:
    assert asyncio.run(voice(Server(inner)).exists("dev", KEY)) is found


@pytest.mark.parametrize(
    ("answer", "word"),
    [(mqtt.Connack(0), DONE), (mqtt.Connack(4), "CONNACK 4")],
)
def test_it_knocks_at_the_broker(answer: mqtt.Packet, word: str) -> None:
    server = Server(b"", answer)
    assert asyncio.run(voice(server).knock("dev", KEY)) == word
    [connect] = server.heard
    assert isinstance(connect, mqtt.Connect)
    assert (connect.client_id, connect.username) == ("dev", "dev")
    assert connect.password == mqtt_payload.mqtt_password(KEY)
    assert server.left == 1


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ((mqtt.Connack(0), mqtt.Suback(1, (0x80,))), "SUBACK 128"),
        ((mqtt.Connack(0), mqtt.Suback(1, (1,))), DONE),
        ((mqtt.Connack(5),), "CONNACK 5"),
    ],
)
def test_it_tries_to_hear(answers: tuple[mqtt.Packet, ...], word: str) -> None:
    assert asyncio.run(voice(Server(b"", *answers)).subscribe("dev", KEY, "topic")) == word


def test_a_broker_that_ends_has_refused_nobody() -> None:
    with pytest.raises(CloudUnreachable, match="hung up"):
        asyncio.run(voice(Server(b"", None)).knock("dev", KEY))
    with pytest.raises(CloudUnreachable, match="hung up"):
        asyncio.run(voice(Server(b"", mqtt.Connack(0), None)).subscribe("dev", KEY, "topic"))


@pytest.mark.parametrize(("answer", "word"), [(None, CLOSED), (mqtt.Puback(1), DONE)])
def test_it_tries_to_speak(answer: mqtt.Packet | None, word: str) -> None:
    server = Server(b"", mqtt.Connack(0), answer)
    assert asyncio.run(voice(server).publish("dev", KEY, "topic", b"x")) == word
    assert server.heard[1] == mqtt.Publish("topic", b"x", qos=1, packet_id=1)


def test_nobody_reads_a_key_or_a_signature_in_a_log() -> None:
    shown = repr(voice(Server()).activation("uuid", "a" * 32, "token678"))
    assert shown == "Asked(/d.json)"
