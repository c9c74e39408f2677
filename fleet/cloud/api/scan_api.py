"""A device's own QR code is scanned: the cloud hands the device that waits a token over MQTT.

In the consumer app that is the vendor's way of pairing with a code on the device ("Pair with QR
Code on Device", developer.tuya.com); that an operator of a batch unbinding may do the same with a
device that is connected by cable is ours. Paths and fields are ours.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from firmware_sim.wire.device_code import SIZE_MAX, decode_device_code
from firmware_sim.wire.provisioning import parse_token
from fleet.cloud.activation import may_bind
from fleet.cloud.api.app_api import PairTicket
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.devices import Device
from fleet.cloud.products import Product
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.state import State
from fleet.cloud.unbinding import usable


class ScanForm(msgspec.Struct, frozen=True):
    """The text of the device's code."""

    code: Annotated[str, Meta(max_length=SIZE_MAX)]


class ScannedDevice(msgspec.Struct, frozen=True):
    """A device that was handed a token."""

    uuid: str
    product_id: str


class ScanApi:
    """Handlers of both apps."""

    def __init__(self, link: DeviceLink) -> None:
        """Reach devices that wait by `link`."""
        self._link = link

    def routes(self) -> tuple[Route, ...]:
        """Return the table of this API."""
        return (
            Route("POST", "/app/v1/scans", Access.CONSUMER, self.pair),
            Route("POST", "/console/v1/unbind-tokens/{batch}/scans", Access.ACCOUNT, self.unbind),
        )

    def pair(self, state: State, call: Call) -> PairTicket:
        """Bind the device to the caller: make a pairing token, and let the device have it."""
        device, product = self._scanned(state, call)
        if not may_bind(device, product, call.subject):
            raise Refused(Reason.ALREADY_BOUND)
        token = state.tokens.make_pair_token(call.subject, call.now_ms)
        self._link.tell_token(device, parse_token(token.text), call.now_ms)
        return PairTicket(token.text, token.expires_ms)

    def unbind(self, state: State, call: Call) -> ScannedDevice:
        """Let the device have an unbinding token of the caller, who may unbind it."""
        token = usable(state.tokens.batch(call.subject, call.path["batch"]), call.now_ms)
        device, product = self._scanned(state, call)
        decision = state.accounts.may_unbind(call.subject, product)
        if not decision.allowed:
            raise Refused(Reason.NO_PERMISSION, decision.why)
        if not device.bound:
            raise Refused(Reason.NOT_BOUND)
        self._link.tell_token(device, parse_token(token.text), call.now_ms)
        return ScannedDevice(device.uuid, device.product_id)

    def _scanned(self, state: State, call: Call) -> tuple[Device, Product]:
        code = decode_device_code(call.body_as(ScanForm).code)
        device = state.devices.get(code.uuid)
        product = state.products.get(device.product_id) if device is not None else None
        if device is None or product is None:
            raise Refused(Reason.DEVICE_UNKNOWN)
        if code.product_id != product.product_id:
            raise Refused(Reason.PRODUCT_MISMATCH)
        if not self._link.waiting(device):
            raise Refused(Reason.NOT_WAITING)
        return device, product
