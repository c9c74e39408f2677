import pytest

from firmware_sim.errors import Malformed
from firmware_sim.wire import atop, atop_calls, mqtt_payload
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.generation import DIALECTS, Generation, parse_generation

from .support import outcome

KEY = "0123456789abcdef0123456789ABCDEF"
NONCE = b"0123456789ab"


def test_every_generation_has_a_dialect() -> None:
    assert list(DIALECTS) == list(Generation)


@pytest.mark.parametrize(
    ("generation", "et", "payload", "activation"),
    [
        (Generation.OLD, 0, b"2.1", ("s.gw.dev.pk.active", "3.0")),
        (Generation.ECB, 1, b"2.2", ("tuya.device.active", "4.4")),
        (Generation.GCM, 3, b"2.3", ("thing.device.opensdk.active", "1.0")),
    ],
)
def test_what_sets_them_apart(
    generation: Generation, et: int, payload: bytes, activation: tuple[str, str]
) -> None:
    dialect = DIALECTS[generation]
    assert (dialect.et, dialect.payload.value, dialect.activation) == (et, payload, activation)
    assert dialect.payload.value.decode() == generation


@pytest.mark.parametrize("generation", Generation)
def test_a_dialect_is_enough_to_call_and_to_be_understood(generation: Generation) -> None:
    dialect = DIALECTS[generation]
    nonce = NONCE[: dialect.nonce_size]
    request = messages.activation_request(
        "abcd1234", "pid", "1.0", 5, protocol_ver=generation, options=dialect.options
    )
    target, body = atop.encode_request(
        *dialect.activation,
        5,
        KEY,
        messages.encode(request),
        uuid="uuid",
        et=dialect.et,
        nonce=nonce,
        old=dialect.old,
    )
    query = atop.decode_query(target)
    atop.check_sign(query, KEY)
    data = messages.decode(atop.decode_data(query, body, KEY), messages.ActivationRequest)
    assert (query.uuid, data) == ("uuid", request)
    assert parse_generation(data.protocol_ver) is generation
    reply = atop.encode_reply(b'{"success":true}', 5, KEY, query.et, nonce)
    assert atop.decode_reply(reply, KEY, dialect.et) == b'{"success":true}'
    message = mqtt_payload.encode_dp_report("dev", 5, b"{}")
    payload = mqtt_payload.encode(
        KEY[:16].encode(), message, 1, dialect.source, dialect.payload, nonce
    )
    assert mqtt_payload.version_of(payload) is dialect.payload
    assert mqtt_payload.decode(KEY[:16].encode(), payload).t == 5


@pytest.mark.parametrize("generation", Generation)
def test_what_a_generation_calls_is_in_the_table_of_calls(generation: Generation) -> None:
    dialect = DIALECTS[generation]
    for api in (dialect.activation, dialect.reset, dialect.versions):
        assert atop_calls.CALLS[api.name].api == api


@pytest.mark.parametrize("text", ["", "2", "2.4", "3.3", "2.2 "])
def test_another_protocol_version_is_malformed(text: str) -> None:
    assert isinstance(outcome(parse_generation, text), Malformed)
