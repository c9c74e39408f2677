"""What a session carries up: messages on our topic, and calls with what to do about their answers.

Firmware makes most of its calls over MQTT once it is online, waits eight seconds for an answer and
does not repeat them (tuya/tuya-connect-kit-for-mqtt-embedded-c, src/matop_service.c). Firmware of
the oldest generation, and a few calls of all others, go over HTTP instead: those stand in line,
for there is one HTTP call at a time. What was not said when a session ends, is not said.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from firmware_sim.device import cloud_calls
from firmware_sim.device.signals import AnswerElapsed, ErrandAnswered
from firmware_sim.device.timers import Timer
from firmware_sim.effects import SendMqtt
from firmware_sim.errors import PeerError
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire.atop import Inner

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

ANSWER_MS = 8000
CALLS_MAX = 32
"""How many calls may wait for an answer or stand in line; a cloud that provokes more gets none."""

Answered = Callable[["Device", Inner | None], None]
"""What to do about an answer; None stands for none. May raise PeerError for one that is odd."""


class Errand(NamedTuple):
    """A call over HTTP that stands in line."""

    api: messages.Api
    data: bytes
    then: Answered | None


def tell(device: "Device", body: bytes) -> None:
    """Send the JSON of a message on our topic at QoS 0, wrapped as our generation does it."""
    dialect = device.dialect
    payload = mqtt_payload.encode(
        device.local_key,
        body,
        device.next_sequence(),
        dialect.source,
        dialect.payload,
        device.nonce(),
    )
    _publish(device, mqtt_payload.topic_out(device.flash.dev_id), payload)


def ask(
    device: "Device", api: messages.Api, request: messages.Message, then: Answered | None = None
) -> bool:
    """Make a call in the way of our generation; `then` is told its answer.

    Returns whether it is made: not while too many have no answer yet, and then nothing is told.
    """
    if not device.dialect.rpc:
        return ask_over_http(device, api, request, then)
    awaited = device.awaited or {}
    if then is not None and len(awaited) >= CALLS_MAX:
        return False
    device.rpc_id = device.rpc_id % 0xFFFF + 1
    data = messages.encode(request)
    call = mqtt_rpc.encode_request(device.rpc_id, api.name, api.version, device.now_s, data)
    if then is not None:
        device.awaited = {**awaited, device.rpc_id: then}
        device.arm(Timer.ANSWER, ANSWER_MS)
    _publish(device, mqtt_payload.topic_rpc_request(device.flash.dev_id), call)
    return True


def ask_over_http(
    device: "Device", api: messages.Api, request: messages.Message, then: Answered | None = None
) -> bool:
    """Make a call over HTTP, when those before it are answered; returns as `ask` does."""
    if len(device.errands) >= CALLS_MAX:
        return False
    device.errands = (*device.errands, Errand(api, messages.encode_call(api, request), then))
    _run_next(device)
    return True


def _run_next(device: "Device") -> None:
    if device.errands and cloud_calls.is_free(device):
        errand = device.errands[0]
        cloud_calls.run_errand(device, errand.api, errand.data)


def _publish(device: "Device", topic: str, payload: bytes) -> None:
    device.emit(SendMqtt(mqtt.encode(mqtt.Publish(topic, payload))))


# --- answers ------------------------------------------------------------------------------------


def answered(device: "Device", payload: bytes) -> None:
    """Take an answer that came over MQTT; raises PeerError when it cannot be read."""
    response, awaited = mqtt_rpc.decode_response(payload), device.awaited or {}
    then = awaited.get(response.id)
    if then is not None:
        device.awaited = {n: each for n, each in awaited.items() if n != response.id} or None
        _conclude(device, then, response.inner)


def errand_answered(device: "Device", event: ErrandAnswered) -> None:
    """Take the answer to the first call in line, and make the next."""
    errand, device.errands = device.errands[0], device.errands[1:]
    _conclude(device, errand.then, event.inner)
    _run_next(device)


def result_of(inner: Inner | None) -> bytes:
    """Return the JSON of an answer's result; empty when there is none, or no success."""
    result = bytes(inner.result) if inner is not None and inner.success else b""
    return b"" if result == b"null" else result


def give_up(device: "Device", _: AnswerElapsed) -> None:
    """Take it that calls over MQTT are not answered any more."""
    awaited, device.awaited = device.awaited or {}, None
    for then in awaited.values():
        _conclude(device, then, None)


def drop(device: "Device") -> None:
    """Forget what was asked and what was going to be: the session is over."""
    device.awaited, device.errands = None, ()


def _conclude(device: "Device", then: Answered | None, inner: Inner | None) -> None:
    if then is None:
        return
    try:
        then(device, inner)
    except PeerError as error:
        device.note("bad_reply", str(error))
