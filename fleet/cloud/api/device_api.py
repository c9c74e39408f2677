"""The HTTP API of devices (ATOP): a signed query, an encrypted body, an encrypted reply.

The key of a call is the authKey of a uuid or the secKey of a device id. A refusal is encrypted
like a result once the caller has proved to hold the key, and plain before; firmware reads both
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/atop_base.c).
"""

from firmware_sim.errors import BadChecksum, PeerError
from firmware_sim.wire import atop
from firmware_sim.wire import atop_messages as messages
from fleet.cloud.activation import activate
from fleet.cloud.api.device_calls import DeviceCalls
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.api.envelope import device_code, reason_of, text_of
from fleet.cloud.devices import Device
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.state import State


class DeviceApi:
    """Answers `POST /d.json`."""

    def __init__(self, state: State, calls: DeviceCalls, link: DeviceLink) -> None:
        """Activate by `state`, hand other calls to `calls`, cut stale connections of `link`."""
        self._state = state
        self._calls = calls
        self._link = link

    def handle(self, target: str, body: bytes, now_ms: int, ip: str = "") -> bytes:
        """Return the reply to one call; `ip` is the address it came from, where that is known."""
        t_s, key = now_ms // 1000, ""
        try:
            query = atop.decode_query(target)
            device, claimed = self._caller(query)
            self._check(query, claimed, now_ms)
            key = claimed
            data = atop.decode_request_body(body, key)
            inner = atop.encode_success(self._answer(query, device, data, now_ms, ip), t_s)
        except PeerError as error:
            self._state.counts[f"device_refused_{reason_of(error)}"] += 1
            inner = atop.encode_error(device_code(error), text_of(error), t_s)
        return atop.encode_reply(inner, t_s, key) if key else inner

    def _caller(self, query: atop.Query) -> tuple[Device, str]:
        if query.uuid is not None:
            device = self._state.devices.get(query.uuid)
            if device is None:
                raise Refused(Reason.DEVICE_UNKNOWN)
            return device, device.auth_key
        device = self._state.devices.by_dev_id(query.dev_id or "")
        if device is None or not device.sec_key:
            raise Refused(Reason.GATEWAY_NOT_EXISTS)
        return device, device.sec_key

    def _check(self, query: atop.Query, key: str, now_ms: int) -> None:
        if query.et != atop.ET_ECB:
            raise Refused(Reason.BAD_REQUEST, "only et=1 is served")
        try:
            atop.check_sign(query, key)
        except BadChecksum:
            raise Refused(Reason.BAD_SIGN) from None
        if abs(now_ms - query.t * 1000) > self._state.settings.signature_window_s * 1000:
            raise Refused(Reason.STALE_TIME)

    def _answer(
        self, query: atop.Query, device: Device, data: bytes, now_ms: int, ip: str
    ) -> bytes | None:
        if query.a == messages.ACTIVE.name:
            if query.uuid is None:
                raise Refused(Reason.BAD_REQUEST, "activation is signed by uuid and authKey")
            return self._activate(device, data, now_ms, ip)
        if query.dev_id is None:
            raise Refused(Reason.BAD_REQUEST, "this call is signed by devId and secKey")
        return self._calls.answer(device, query.a, data, now_ms)

    def _activate(self, before: Device, data: bytes, now_ms: int, ip: str) -> bytes:
        request = messages.decode(data, messages.ActivationRequest)
        device = activate(
            self._state,
            before.uuid,
            request.token,
            request.product_key,
            request.soft_ver,
            now_ms,
        )
        self._link.cut(device, now_ms)
        if not device.live:
            raise Refused(Reason.GATEWAY_NOT_EXISTS)
        self._state.devices.note_ip(device, ip)
        product = self._state.products.get(device.product_id)
        assert product is not None, "activation checks the product"
        return messages.encode(
            messages.ActivationResult(
                dev_id=device.dev_id,
                sec_key=device.sec_key,
                local_key=device.local_key,
                schema_id=product.schema_id,
                schema=product.schema,
                std_time_zone=device.time_zone or self._state.settings.time_zone,
                reset_factory=device.wipe,
            )
        )
