"""The HTTP API of devices (ATOP): a signed query, an encrypted body, an encrypted reply.

The key of a call is the authKey of a uuid or the secKey of a device id. Each generation of firmware
is answered with the encryption that it called with. A refusal is encrypted like a result once the
caller has proved to hold the key, and plain before; firmware reads both
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/atop_base.c).
"""

from collections.abc import Callable
from functools import lru_cache

import msgspec

from firmware_sim.errors import BadChecksum, Malformed, PeerError
from firmware_sim.wire import atop, atop_old
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.ciphers import NONCE_SIZE
from firmware_sim.wire.generation import Generation, parse_generation
from fleet.cloud.activation import Asked, activate
from fleet.cloud.api import device_room
from fleet.cloud.api.device_calls import DeviceCalls, handler_of, is_of_the_activated
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.api.envelope import device_code, reason_of, text_of
from fleet.cloud.api.iot_dns_api import Endpoints
from fleet.cloud.devices import Device
from fleet.cloud.keys import Entropy
from fleet.cloud.products import Product
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.state import State

SERVED = frozenset({("POST", atop.PATH), ("POST", atop.OLD_PATH), ("GET", atop.OLD_PATH)})
"""Methods and paths of the calls of devices."""

_GENERATIONS = {
    atop.ET_NONE: Generation.OLD,
    atop.ET_ECB: Generation.ECB,
    atop.ET_GCM: Generation.GCM,
}
"""Whose firmware it is that calls so, if it does not say it."""

_CLOCK_SET_S = 1_000_000_000
"""The oldest firmware counts from 0 until the first reply tells it the time."""

_ANY_DEV_ID = "x" * 25  # as long as firmware has room for
_ANY_KEY = "x" * 16
_ANY_UID = "x" * 64
_ANY_ZONE = "+00:00"


class _Call(msgspec.Struct, frozen=True):
    """One call whose caller is known; `device` is as it was before."""

    query: atop.Query
    device: Device
    data: bytes
    now_ms: int
    ip: str


class DeviceApi:
    """Answers what is `SERVED`."""

    def __init__(
        self,
        state: State,
        calls: DeviceCalls,
        link: DeviceLink,
        endpoints: Endpoints,
        entropy: Entropy,
    ) -> None:
        """Activate by `state`, hand other calls to `calls`, cut stale connections of `link`.

        `endpoints` is where devices are told that this cloud is; nonces come from `entropy`.
        """
        self._state = state
        self._calls = calls
        self._link = link
        self._endpoints = endpoints
        self._entropy = entropy
        self._by_uuid: dict[str, Callable[[_Call], bytes]] = {
            messages.ACTIVE.name: self._activate,
            messages.OPENSDK_ACTIVE.name: self._activate,
            atop_old.ACTIVE.name: self._activate,
            messages.CONFIG_GET.name: self._config,
            atop_old.TOKEN_GET.name: self._old_config,
        }

    def handle(self, target: str, body: bytes, now_ms: int, ip: str = "") -> bytes:
        """Return the reply to one call; `ip` is the address it came from, where that is known."""
        t_s, key, et = now_ms // 1000, "", atop.ET_NONE
        try:
            query = atop.decode_query(target)
            device, claimed = self._caller(query)
            self._check(query, claimed, now_ms)
            key, et = claimed, query.et
            call = _Call(query, device, atop.decode_data(query, body, key), now_ms, ip)
            inner = atop.encode_success(self._answer(call), t_s)
        except PeerError as error:
            self._state.counts[f"device_refused_{reason_of(error)}"] += 1
            inner = atop.encode_error(device_code(error), text_of(error), t_s)
        nonce = self._entropy(NONCE_SIZE) if et == atop.ET_GCM else b""
        return atop.encode_reply(inner, t_s, key, et, nonce)

    def handler_of(self, api: str) -> Callable[..., object]:
        """Return what answers a call of that name; to explain a run."""
        return self._by_uuid.get(api) or handler_of(api) or self._calls.note_unknown

    # --- who calls ------------------------------------------------------------------------------

    def _caller(self, query: atop.Query) -> tuple[Device, str]:
        if query.old and not self._state.settings.serve_oldest_firmware:
            raise Refused(Reason.NOT_FOUND, "firmware of this age is not served")
        if query.uuid is not None:
            device = self._state.devices.get(query.uuid)
            if device is None or not device.auth_key:
                raise Refused(Reason.DEVICE_UNKNOWN)
            return device, device.auth_key
        device = self._state.devices.by_dev_id(query.dev_id or "")
        if device is None or not device.sec_key:
            raise Refused(Reason.GATEWAY_NOT_EXISTS)
        return device, device.sec_key

    def _check(self, query: atop.Query, key: str, now_ms: int) -> None:
        if query.et not in _GENERATIONS or (query.et == atop.ET_NONE and not query.old):
            raise Refused(Reason.BAD_REQUEST, "et is 1 or 3")
        try:
            atop.check_sign(query, key)
        except BadChecksum:
            raise Refused(Reason.BAD_SIGN) from None
        has_clock = not query.old or query.t >= _CLOCK_SET_S
        window_ms = self._state.settings.signature_window_s * 1000
        if has_clock and abs(now_ms - query.t * 1000) > window_ms:
            raise Refused(Reason.STALE_TIME)

    # --- what is answered -----------------------------------------------------------------------

    def _answer(self, call: _Call) -> bytes | None:
        query = call.query
        handler = self._by_uuid.get(query.a)
        if query.uuid is None:
            if handler is not None:
                raise Refused(Reason.BAD_REQUEST, "this call is signed by uuid and authKey")
            size_max = device_room.over_http(query.a, query.et)
            return self._calls.answer(call.device, query.a, call.data, call.now_ms, size_max)
        if handler is not None:
            return self._fit(call, handler(call))
        if is_of_the_activated(query.a):
            raise Refused(Reason.BAD_REQUEST, "this call is signed by devId and secKey")
        self._calls.note_unknown(query.a)
        return None

    def _fit(self, call: _Call, result: bytes) -> bytes:
        self._check_size(call, len(result))
        return result

    def _check_size(self, call: _Call, size: int) -> None:
        size_max = device_room.over_http(call.query.a, call.query.et)
        self._calls.check_room(call.device, call.query.a, size, size_max)

    def _activate(self, call: _Call) -> bytes:
        request = messages.decode(call.data, messages.ActivationRequest)
        self._check_room(call)
        asked = Asked(
            token=atop_old.parse_other(call.query.other).token
            if call.query.other
            else request.token,
            product_id=request.product_key,
            software=request.soft_ver,
            generation=_generation_of(request, call.query),
            signed_s=call.query.t if call.query.t >= _CLOCK_SET_S else 0,
            ip=call.ip,
        )
        device, is_new = activate(self._state, call.device.uuid, asked, call.now_ms)
        if is_new:
            self._link.cut(device, call.now_ms)
        if not device.live:
            raise Refused(Reason.GATEWAY_NOT_EXISTS)
        product = self._state.products.get(device.product_id)
        assert product is not None, "activation checks the product"
        zone = device.time_zone or self._state.settings.time_zone
        self._link.expect(device.dev_id, _try_again(call.now_ms // 1000))
        return messages.encode(_granted(call.query.a, device, product, zone))

    def _check_room(self, call: _Call) -> None:
        """Refuse to activate a device that would have no room for what it is granted."""
        product = self._state.products.get(call.device.product_id)
        if product is None:
            return  # which is refused for that
        self._check_size(call, _size_granted(call.query.a, product.product_id, product.schema))

    def _config(self, call: _Call) -> bytes:
        messages.decode(call.data, messages.ConfigGet)
        return messages.encode(
            messages.ConfigResult(
                api_url=self._endpoints.https_url,
                mqtt_url=self._endpoints.mqtt_address,
                time_zone=self._state.settings.time_zone,
            )
        )

    def _old_config(self, call: _Call) -> bytes:
        atop_old.parse_other(call.query.other)
        zone = self._state.settings.time_zone
        url = self._endpoints.https_url.removesuffix(atop.PATH) + atop.OLD_PATH
        address = self._endpoints.mqtt_address
        return messages.encode(
            atop_old.TokenResult(
                gw_api_url=url,
                gw_mqtt_url=address,
                std_time_zone=zone,
                time_zone=zone,
                https_psk_url=url,
                media_mqtt_url=address,
            )
        )


@lru_cache(maxsize=256)
def _size_granted(api: str, product_id: str, schema: str) -> int:
    """Return how many bytes what is granted to a device of a product has, at most."""
    product = Product(product_id, name="", category="", owner="", schema=schema)
    trial = Device(
        uuid="",
        auth_key="",
        product_id=product_id,
        dev_id=_ANY_DEV_ID,
        sec_key=_ANY_KEY,
        local_key=_ANY_KEY,
        owner=_ANY_UID,
        wipe=True,
    )
    return len(messages.encode(_granted(api, trial, product, _ANY_ZONE)))


def _granted(
    api: str, device: Device, product: Product, time_zone: str
) -> messages.ActivationResult:
    """Return what a device is granted by a call of that name, in the form of its generation."""
    result = messages.ActivationResult(
        dev_id=device.dev_id,
        sec_key=device.sec_key,
        local_key=device.local_key,
        schema_id=product.schema_id,
        schema=product.schema,
        std_time_zone=time_zone,
        reset_factory=device.wipe,
    )
    if api != atop_old.ACTIVE.name:
        return result
    return atop_old.OldActivationResult(
        **msgspec.structs.asdict(result),
        uid=device.owner or device.last_owner,
        dev_etag=product.schema_id,
    )


def _try_again(t_s: int) -> bytes:
    """Return what makes firmware repeat its call: to a code that it does not know it says the same.

    The open SDK of the vendor does so every second, with the token it has (src/tuya_iot.c).
    """
    inner = atop.encode_error("TRY_AGAIN", "the broker does not know the device yet", t_s)
    return atop.encode_reply(inner, t_s, "", atop.ET_NONE)


def _generation_of(request: messages.ActivationRequest, query: atop.Query) -> str:
    try:
        return parse_generation(request.protocol_ver).value
    except Malformed:
        return _GENERATIONS[query.et].value
