"""Every device comes to rest once faults stop: off, waiting, or online with a session.

In virtual time a fleet is given `bound_ms` for that (and no more of it than it needs): what firmware
takes at the very worst, from its timings and its back-off, if nobody interferes any more. Live it is
given people's patience. Only firmware that repeats a refused activation for ever may be at that.
"""

from collections.abc import Iterator

from firmware_sim.device import backoff
from firmware_sim.device.device import Device
from firmware_sim.device.profile import ActivationError, Backoff, Profile
from firmware_sim.device.states import Lifecycle, Session
from fleet.run.checks.evidence import Evidence

CALL_MS = 5_000  # until firmware gives a call up
SUBSCRIBING_CALLS = 3  # iot-dns, versions, and what became of us
_ENDLESS = (Lifecycle.JOINING, Lifecycle.ACTIVATING, Lifecycle.FAILED)


def at_end(evidence: Evidence) -> Iterator[str]:
    """Look where each device has come to rest."""
    for unit in evidence.population.units:
        chip = evidence.chips.get(unit.index)
        if chip is None:
            continue
        lifecycle, session = Lifecycle[chip.lifecycle], Session[chip.session]
        if not is_legal(lifecycle, session, evidence.population.profile(unit)):
            yield f"{unit.uuid}: is not at rest, but {chip.lifecycle} with session {chip.session}"


def is_legal(lifecycle: Lifecycle, session: Session, profile: Profile) -> bool:
    """Say whether a device of that model may stay in a state for ever."""
    if lifecycle is Lifecycle.ONLINE:
        return session is Session.UP
    if lifecycle in _ENDLESS:
        return profile.firmware.activation_error is ActivationError.RETRY
    return lifecycle in (Lifecycle.OFF, Lifecycle.WAITING)


def is_at_rest(device: Device, *, severed: bool) -> bool:
    """Say whether a device is where it may stay; one whose session is dead has yet to notice."""
    return not severed and is_legal(device.lifecycle, device.session, device.profile)


def bound_ms(profile: Profile) -> int:
    """Return after how long at most a device of that model is at rest, if nobody interferes.

    The sum of all there is: a session found dead by the keep-alive, the longest pause, every call on
    the way back given up once, a release learnt there, a reset, all tries of an activation.
    """
    times, firmware = profile.timings, profile.firmware
    vendor = firmware.backoff is Backoff.VENDOR
    pause_ms = backoff.VENDOR_LAST_MS if vendor else backoff.CAPPED_LAST_MS
    session_ms = 1000 * times.keep_alive_s + times.pong_timeout_ms + pause_ms
    way_back_ms = SUBSCRIBING_CALLS * CALL_MS + 2 * times.connect_timeout_ms
    joining_ms = 2 * times.join_timeout_ms + times.retry_ms
    one_try_ms = 2 * CALL_MS + times.retry_ms
    return (
        session_ms
        + 2 * way_back_ms
        + joining_ms
        + firmware.activation_tries * one_try_ms
        + times.failure_ms
        + times.reset_hold_ms
        + times.erase_ms
        + 2 * times.boot_ms
        + times.download_ms
        + times.install_ms
    )
