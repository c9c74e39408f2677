"""Every invariant holds for a run that went well, and each is broken once, alone."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fleet.app.messages import HistoryRow
from fleet.cloud.api.admin_api import Audit, AuditedDevice
from fleet.cloud.quotas import Quota
from fleet.run import invariants
from fleet.run.invariants import INVARIANTS, VIOLATIONS_PER_INVARIANT_MAX, Evidence, violations
from fleet.run.messages import Chip, Heard, Seen
from fleet.run.tally import Tally
from tests.run.fakes import small

POPULATION = small(6)
UNITS = POPULATION.units
SOLD = next(unit for unit in UNITS if unit.new_owner is not None)
KEPT = next(unit for unit in UNITS if unit.new_owner is None)
NEW_UID = "" if SOLD.new_owner is None else SOLD.new_owner.uid


def row(number: int, uuid: str, **changes: Any) -> HistoryRow:
    product = next(unit.product.product_id for unit in UNITS if unit.uuid == uuid)
    before = HistoryRow(
        number, 0, "unbind", "ok", account="owner@maker", batch=f"b{number}", uuid=uuid,
        product_id=product,
    )  # fmt: skip
    return msgspec.structs.replace(before, **changes)


def good() -> Evidence:
    """Return the evidence of a run in which all were unbound, one was rebound, one refused once."""
    chips, lights, devices = {}, [], []
    history = [row(1, KEPT.uuid, status="refused", reason="token_full")]
    for unit in UNITS:
        sold = unit is SOLD
        lifecycle, session, outcome = (
            ("ONLINE", "UP", "NONE") if sold else ("WAITING", "DOWN", "UNBOUND")
        )
        light = "online" if sold else "unbound"
        chips[unit.index] = Chip(
            unit.index, lifecycle, session, outcome, light, "", unit.dev_id, activated=sold
        )
        lights.append(Seen(unit.index, 0, lifecycle, session, light, "", ""))
        devices.append(
            AuditedDevice(
                unit.uuid, unit.dev_id, unit.product.product_id, NEW_UID if sold else "", sold, ""
            )
        )
        history.append(row(len(history) + 1, unit.uuid))
    history.append(row(99, SOLD.uuid, operation="bind", account=NEW_UID))
    by_product = {p.product_id: 0 for p in POPULATION.products}
    for unit in UNITS:
        by_product[unit.product.product_id] += 1
    quotas = [Quota("account", "owner@maker", "d", len(UNITS), 100)]
    quotas += [Quota("product", name, "d", used, 100) for name, used in by_product.items()]
    heard: list[list[Heard]] = [[] for _ in UNITS]
    heard[KEPT.index].append(Heard(KEPT.index, 0, "activation_refused", "TOKEN_FULL"))
    heard[KEPT.index].append(Heard(KEPT.index, 0, "bad_qr", "whatever"))
    return Evidence(
        population=POPULATION,
        chips=chips,
        lights=lights,
        heard=heard,
        audit=Audit(devices, quotas, []),
        history=history,
        tally=Tally(unbound={unit.index: "qr" for unit in UNITS}),
    )


def with_device(evidence: Evidence, uuid: str, **changes: Any) -> Evidence:
    devices = [
        msgspec.structs.replace(device, **changes) if device.uuid == uuid else device
        for device in evidence.audit.devices
    ]
    audit = msgspec.structs.replace(evidence.audit, devices=devices)
    return msgspec.structs.replace(evidence, audit=audit)


def with_chip(evidence: Evidence, index: int, **changes: Any) -> Evidence:
    chips = dict(evidence.chips)
    chips[index] = msgspec.structs.replace(chips[index], **changes)
    return msgspec.structs.replace(evidence, chips=chips)


def with_rows(evidence: Evidence, *rows: HistoryRow) -> Evidence:
    return msgspec.structs.replace(evidence, history=[*evidence.history, *rows])


def with_quota(evidence: Evidence, **changes: Any) -> Evidence:
    first, *rest = evidence.audit.quotas
    quotas = [msgspec.structs.replace(first, **changes), *rest]
    audit = msgspec.structs.replace(evidence.audit, quotas=quotas)
    return msgspec.structs.replace(evidence, audit=audit)


def without(evidence: Evidence, index: int) -> Evidence:
    chips = {i: chip for i, chip in evidence.chips.items() if i != index}
    return msgspec.structs.replace(evidence, chips=chips)


def twice(evidence: Evidence) -> Evidence:
    devices = [*evidence.audit.devices, evidence.audit.devices[0]]
    audit = msgspec.structs.replace(evidence.audit, devices=devices)
    return msgspec.structs.replace(evidence, audit=audit)


def lost(evidence: Evidence) -> Evidence:
    audit = msgspec.structs.replace(evidence.audit, devices=evidence.audit.devices[1:])
    return msgspec.structs.replace(evidence, audit=audit)


def unseen(evidence: Evidence) -> Evidence:
    return msgspec.structs.replace(evidence, tally=Tally())


def contradicted(evidence: Evidence) -> Evidence:
    tally = msgspec.structs.replace(evidence.tally, contradictions=["light says, history says"])
    return msgspec.structs.replace(evidence, tally=tally)


def last_seen(evidence: Evidence) -> Evidence:
    lights = list(evidence.lights)
    lights[KEPT.index] = msgspec.structs.replace(lights[KEPT.index], light="waiting")
    return msgspec.structs.replace(evidence, lights=lights)


BREAKS: list[tuple[str, str, Callable[[Evidence], Evidence]]] = [
    (
        "one_owner",
        "bound to x while it was bound to",
        lambda e: with_rows(e, row(100, SOLD.uuid, operation="bind", account="x")),
    ),
    ("one_owner", "times", twice),
    ("one_owner", "by the history", lambda e: with_device(e, SOLD.uuid, owner="x")),
    (
        "none_waiting_while_bound",
        "bound in the cloud, but ONLINE without keys",
        lambda e: with_chip(e, SOLD.index, activated=False),
    ),
    (
        "none_waiting_while_bound",
        "nobody's in the cloud",
        lambda e: with_chip(e, KEPT.index, activated=True),
    ),
    ("none_waiting_while_bound", "no shard knows", lambda e: without(e, KEPT.index)),
    ("everyone_known", "the registry has lost it", lost),
    ("everyone_known", "by its chip", lambda e: with_chip(e, KEPT.index, dev_id="other")),
    ("quotas_add_up", "7 used, 6 devices unbound", lambda e: with_quota(e, used=7)),
    ("quotas_add_up", "its operator saw 0", unseen),
    (
        "refusals_recorded",
        "refused for token_full, the history has no such row",
        lambda e: msgspec.structs.replace(e, history=e.history[1:]),
    ),
    ("limits_kept", "6 used of 5", lambda e: with_quota(e, limit=5)),
    (
        "limits_kept",
        "batch b: released 6 devices",
        lambda e: msgspec.structs.replace(
            e, history=[msgspec.structs.replace(r, batch="b") for r in e.history]
        ),
    ),
    (
        "lights_agree",
        "shows 'online', but WAITING is 'unbound'",
        lambda e: with_chip(e, KEPT.index, light="online"),
    ),
    ("lights_agree", "was last seen with 'waiting'", last_seen),
    ("lights_agree", "no light 'disco'", lambda e: with_chip(e, KEPT.index, light="disco")),
    (
        "online_is_known",
        "has a session, and is offline by the cloud",
        lambda e: with_device(e, SOLD.uuid, online=False),
    ),
    ("people_agree", "light says", contradicted),
]


def test_a_good_run_violates_nothing() -> None:
    assert violations(good()) == []


@pytest.mark.parametrize(("name", "text", "damage"), BREAKS, ids=[f"{n}-{t}" for n, t, _ in BREAKS])
def test_each_invariant_can_fail(
    name: str, text: str, damage: Callable[[Evidence], Evidence]
) -> None:
    found = violations(damage(good()))
    assert any(line.startswith(f"{name}: ") and text in line for line in found), found


def test_every_invariant_is_broken_by_some_test() -> None:
    assert {invariant.__name__ for invariant in INVARIANTS} == {name for name, _, _ in BREAKS}


def test_a_pending_reset_is_no_contradiction() -> None:
    evidence = with_chip(good(), KEPT.index, activated=True)
    evidence = with_device(evidence, KEPT.uuid, pending_reset="reset")
    assert list(invariants.none_waiting_while_bound(evidence)) == []


def test_the_cloud_may_not_have_missed_a_device_yet() -> None:
    evidence = with_device(good(), KEPT.uuid, online=True)
    assert list(invariants.online_is_known(evidence)) == []
    evidence = with_chip(with_device(good(), SOLD.uuid, online=False), SOLD.index, severed=True)
    assert list(invariants.online_is_known(evidence)) == [], "nor the device the cloud"


def test_violations_are_bounded() -> None:
    evidence = contradicted(good())
    evidence.tally.contradictions.extend(["again"] * 100)
    found = violations(evidence)
    assert len(found) == VIOLATIONS_PER_INVARIANT_MAX + 1
    assert found[-1] == "people_agree: and 81 more"
