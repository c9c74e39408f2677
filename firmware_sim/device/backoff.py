"""How long a device waits before it tries again to reach the cloud: one law per `Backoff`.

The vendor's (tuya/tuya-connect-kit-for-mqtt-embedded-c, utils/backoff_algorithm.c and
src/mqtt_service.c): a session that stood is taken up again when the main loop comes round; after a
failed attempt a random time below a bound, which doubles and is never set back while the firmware
runs; two seconds more while it is not paired. Ours never repeats anything at once, waits longer,
and is set back by a session that stood.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from firmware_sim.device.profile import Backoff

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

FIRST_MS = 1000
VENDOR_LAST_MS = 8000
CAPPED_LAST_MS = 60_000
STEADY_MS = 60_000
UNPAIRED_MS = 2000
LOOP_MS = 100
"""How long the main loop of that firmware takes at most to come round."""


def pause_ms(device: "Device") -> int:
    """Return how long to wait, at least 1 ms, and widen the bound for the next time."""
    stood_ms = device.now_ms - device.admitted_ms if device.admitted_ms else None
    device.admitted_ms = 0
    return 1 + _LAWS[device.profile.firmware.backoff](device, stood_ms)


def _vendor(device: "Device", stood_ms: int | None) -> int:
    if stood_ms is not None:
        return device.rng.below(LOOP_MS)
    waited_ms = _below_the_bound(device, VENDOR_LAST_MS)
    return waited_ms if device.flash.activated else waited_ms + UNPAIRED_MS


def _capped(device: "Device", stood_ms: int | None) -> int:
    if stood_ms is not None and stood_ms >= STEADY_MS:
        device.backoff_bound_ms = 0
    return _below_the_bound(device, CAPPED_LAST_MS)


def _below_the_bound(device: "Device", last_ms: int) -> int:
    bound_ms = device.backoff_bound_ms or FIRST_MS
    device.backoff_bound_ms = min(2 * bound_ms, last_ms)
    return device.rng.below(bound_ms)


_LAWS: Mapping[Backoff, Callable[["Device", int | None], int]] = {
    Backoff.VENDOR: _vendor,
    Backoff.CAPPED: _capped,
}
