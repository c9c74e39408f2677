"""Sub-devices and the cloud: bound and given up, found and lost, what they report.

Calls as the vendor names them (tuya/tuya-connect-kit-for-mqtt-embedded-c, include/atop_service.h,
first version). A recorder binds all its channels after its first time online and never those that
are bound (tuya/tuya-iotos-embeded-multimedia-demo, demo_for_xvr_2.0.x/demo_src/
tuya_xvr_dev_demo.c), and so does every device here: one call after the other. The same file says
how a sub-device is found to be out of reach: it is probed from time to time, and three probes are
left unanswered; one that comes back says so itself (vendor page "Heartbeat Mechanism").

What the cloud or a hand removed stays away until somebody pairs it with this device anew, or the
device forgets everything in a factory reset. Firmware of the oldest generation leaves the cloud
alone with this, because how it names a product there is not public.
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from firmware_sim.device import child_update, reporting, uplink
from firmware_sim.device.flash import Tie
from firmware_sim.device.lan_children import cid, number_of
from firmware_sim.device.signals import ChildRemoved, ChildrenDue, ChildUpgradeNoticed
from firmware_sim.device.timers import Timer
from firmware_sim.events import ChildJoined, ChildLeft, ChildLost, ChildReached, Event
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.atop import Inner
from firmware_sim.wire.atop_children import SUB_BIND, SUB_UNBIND, SubBind, SubBindResult, SubUnbind

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

FIRST_CALL_AFTER_MS = 3000
SPREAD_MS = 2000
UNANSWERED_MAX = 3
"""So many probes without an answer, and a sub-device is taken for lost."""


class ChildState(msgspec.Struct, gc=False):
    """One sub-device while its gateway has power.

    `reached` is so, `online` is what the gateway believes and `told` what it told the cloud in this
    session. `stale`: the cloud has not heard the values since they changed. `asked`: the cloud was
    asked in this session to change the tie, `refused`: and would not bind it. Next probe: `probe_ms`.
    `version_told` is the firmware of which the cloud knows, `version_asked`: it was told of in this
    session. `loading`: what is being loaded for it.
    """

    reached: bool
    online: bool
    told: bool | None = None
    stale: bool = True
    asked: bool = False
    refused: bool = False
    unanswered: int = 0
    probe_ms: int = 0
    version_told: str = ""
    version_asked: bool = False
    loading: child_update.Loading | None = None


class Children(msgspec.Struct, gc=False):
    """All of a gateway: `each` by number, and when the next call about one of them may be made."""

    each: tuple[ChildState, ...]
    calling: bool = False
    next_call_ms: int = 0


def restarted(device: "Device") -> Children | None:
    """Return what is known after a start: everything is where it is. None: there is nothing."""
    profile, before = device.profile, device.children
    if not profile.children:
        return None
    reach = [child.online for child in profile.children]
    if before is not None:
        reach = [child.reached for child in before.each]
    return Children(tuple(ChildState(reached=each, online=each) for each in reach))


def postpone(device: "Device", by_ms: int) -> None:
    """Let everything come so much later: the clock was set."""
    children = device.children
    if children is not None:
        children.next_call_ms += by_ms
        for child in children.each:
            child.probe_ms += by_ms
            if child.loading is not None:
                due_ms = child.loading.due_ms + by_ms
                child.loading = child.loading._replace(due_ms=due_ms)


# --- what happens to them ------------------------------------------------------------------------


def take_stock(device: "Device", _: Event) -> None:
    """Look who is there: whoever came or went while we had no power."""
    device.children = restarted(device)


def reached(device: "Device", event: ChildReached) -> None:
    """Hear a sub-device again."""
    child = _child(device, event.number)
    if child is not None:
        _come(device, child)


def _come(device: "Device", child: ChildState) -> None:
    child.reached = True
    child.unanswered = 0
    if not child.online:
        child.online = child.stale = True
        child.probe_ms = device.now_ms + device.profile.timings.child_heartbeat_ms
        device.raise_signal(ChildrenDue())


def lost(device: "Device", event: ChildLost) -> None:
    """Let a sub-device be silent; its gateway finds out by asking."""
    child = _child(device, event.number)
    if child is not None:
        child.reached = False


def joined(device: "Device", event: ChildJoined) -> None:
    """Take a sub-device that is paired with us, so it is here; one that is bound stays it."""
    child = _child(device, event.number)
    if child is None:
        return
    _come(device, child)
    if device.flash.kept(event.number).tie is not Tie.BOUND:
        child.asked = child.refused = False
        _tie(device, event.number, Tie.NEW)


def left(device: "Device", event: ChildLeft) -> None:
    """Give a sub-device up, and tell the cloud when it is there: it may have it, whatever we know."""
    child = _child(device, event.number)
    if child is not None and device.flash.kept(event.number).tie in (Tie.NEW, Tie.BOUND):
        child.asked = False
        _tie(device, event.number, Tie.LEAVING)


def removed(device: "Device", event: ChildRemoved) -> None:
    """Remove a sub-device by order of the cloud."""
    number = number_of(device, event.node_id)
    if number is None:
        device.note("child_unknown", event.node_id)
        return
    kind = "with" if event.wipe else "without"
    device.note("child_removed", f"{event.node_id}, {kind} its settings")
    if event.wipe:
        device.flash.forget_values(number)
    _tie(device, number, Tie.GONE)


def upgrade_noticed(device: "Device", event: ChildUpgradeNoticed) -> None:
    """Ask for the firmware of a sub-device that is bound and in reach."""
    number = number_of(device, event.node_id)
    there = {n for n, child in _bound(device) if child.online}
    if number is None or number not in there or device.dialect.old:
        device.note("child_unreached", event.node_id)
    else:
        child_update.ask(device, number, event.channel)


def _child(device: "Device", number: int) -> ChildState | None:
    """Return a sub-device, if this model has one of that number."""
    each = device.children.each if device.children is not None else ()
    return each[number] if 0 <= number < len(each) else None


def _tie(device: "Device", number: int, tie: Tie, dev_id: str | None = None) -> None:
    device.flash.keep(number, tie, dev_id)
    device.mark_flash()
    device.raise_signal(ChildrenDue())


# --- what is done about them while a session is up -----------------------------------------------


def go_up(device: "Device") -> None:
    """Say who is there, as a session begins; calls wait until the device has asked its own."""
    children = device.children
    if children is None:
        return
    first_ms = device.now_ms + FIRST_CALL_AFTER_MS + device.rng.below(SPREAD_MS)
    children.calling, children.next_call_ms = False, first_ms
    for child in children.each:
        child.told, child.asked, child.unanswered = None, False, 0
        child.version_asked, child.loading = False, None
        child.probe_ms = device.now_ms + device.profile.timings.child_heartbeat_ms
    device.raise_signal(ChildrenDue())


def attend(device: "Device", _: Event) -> None:
    """Do what is due now, and come back when the next thing is."""
    children = device.children
    if children is None:
        return
    _probe(device, children)
    _tell_presence(device)
    _report(device)
    for number in range(len(children.each)):
        child_update.advance(device, number)
    wanted = _next_call(device, children)
    if wanted is not None and not children.calling and children.next_call_ms <= device.now_ms:
        children.calling = _call(device, wanted)
        if not children.calling:
            children.next_call_ms = device.now_ms + device.profile.timings.child_pause_ms
    dues_ms = [child.probe_ms for child in children.each if child.online]
    dues_ms += [child.loading.due_ms for child in children.each if child.loading is not None]
    if wanted is not None and not children.calling:
        dues_ms.append(children.next_call_ms)
    if dues_ms:
        device.arm(Timer.CHILDREN, min(dues_ms) - device.now_ms)


def _probe(device: "Device", children: Children) -> None:
    timings = device.profile.timings
    for child in children.each:
        if not child.online or device.now_ms < child.probe_ms:
            continue
        if child.reached:
            child.unanswered, child.probe_ms = 0, device.now_ms + timings.child_heartbeat_ms
        elif child.unanswered < UNANSWERED_MAX:
            child.unanswered += 1
            child.probe_ms = device.now_ms + timings.child_probe_ms
        else:
            child.online = False


def _bound(device: "Device") -> Iterator[tuple[int, ChildState]]:
    for number, kept in sorted((device.flash.children or {}).items()):
        child = _child(device, number)
        if child is not None and kept.tie is Tie.BOUND:
            yield number, child


def _tell_presence(device: "Device") -> None:
    changed: dict[bool, list[str]] = {True: [], False: []}
    for number, child in _bound(device):
        if child.told is not child.online:
            child.told = child.online
            changed[child.online].append(cid(device.identity.uuid, number))
    if any(changed.values()):
        told = mqtt_payload.encode_children_presence(device.now_s, changed[True], changed[False])
        uplink.tell(device, told)


def _report(device: "Device") -> None:
    for number, child in _bound(device):
        if child.stale and child.online:
            child.stale = False
            reporting.report(device, reporting.values(device, number), number)


# --- calls, one at a time ------------------------------------------------------------------------


def _next_call(device: "Device", children: Children) -> int | None:
    """Return for which sub-device a call is next: who leaves, then who is new, then new firmware."""
    if device.dialect.old:
        return None
    open_ones = [(number, child) for number, child in enumerate(children.each) if not child.asked]
    for tie in (Tie.LEAVING, Tie.NEW):
        for number, child in open_ones:
            known = device.profile.children[number].product_id and not child.refused
            if device.flash.kept(number).tie is tie and (known or tie is Tie.LEAVING):
                return number
    numbers = range(len(children.each))
    return next((number for number in numbers if child_update.is_news(device, number)), None)


def _call(device: "Device", number: int) -> bool:
    """Make the call that is to be made about a sub-device; return whether there was room for it."""
    assert device.children is not None  # whose child it is
    child, node_id = device.children.each[number], cid(device.identity.uuid, number)
    if device.flash.kept(number).tie is Tie.BOUND:
        child.version_asked = child_update.report(device, number, _told)
        return child.version_asked
    if device.flash.kept(number).tie is Tie.LEAVING:
        request = SubUnbind(cid=node_id, t=device.now_s)
        child.asked = uplink.ask(device, SUB_UNBIND, request, partial(_given_up, number))
        return child.asked
    model = device.profile.children[number]
    bind = SubBind(
        cid=node_id,
        product_key=model.product_id,
        soft_ver=child_update.version(device, number),
        online=child.online,
        type=model.type,
        uddd=model.uddd,
        t=device.now_s,
    )
    child.told = child.online
    child.asked = uplink.ask(device, SUB_BIND, bind, partial(_taken, number, bind.soft_ver))
    return child.asked


def _told(device: "Device", _: Inner | None) -> None:
    """Take it that the cloud was told of a firmware, or cannot be told in this session."""
    _answered(device)


def _given_up(number: int, device: "Device", inner: Inner | None) -> None:
    """Take the answer to our giving a sub-device up; without one it is said again."""
    _answered(device)
    if inner is not None and device.flash.kept(number).tie is Tie.LEAVING:
        _tie(device, number, Tie.GONE)


def _taken(number: int, software: str, device: "Device", inner: Inner | None) -> None:
    """Take the answer to a binding; what was removed meanwhile has to be given up again."""
    child = _answered(device).each[number]
    if inner is None:
        return
    if not inner.success:
        child.refused = True
        device.note("child_refused", f"{cid(device.identity.uuid, number)}: {inner.error_code}")
        return
    result = messages.decode(inner.result, SubBindResult)
    if device.flash.kept(number).tie is not Tie.NEW:
        child.asked = False
        _tie(device, number, Tie.LEAVING)
        return
    if result.reset_factory:
        device.flash.forget_values(number)
    child.stale, child.version_told = True, software
    _tie(device, number, Tie.BOUND, result.dev_id)


def _answered(device: "Device") -> Children:
    """Let the next call come after a pause."""
    assert device.children is not None  # somebody asked in their name
    device.children.calling = False
    device.children.next_call_ms = device.now_ms + device.profile.timings.child_pause_ms
    device.raise_signal(ChildrenDue())
    return device.children
