"""The evidence of a run in which all went well, and ways to damage it."""

from typing import Any

import msgspec

from fleet.app.messages import HistoryRow
from fleet.cloud.api.admin_api import Audit, AuditedDevice
from fleet.cloud.quotas import Quota
from fleet.run.checks.evidence import App, Evidence
from fleet.run.messages import Chip, Heard, Seen
from fleet.run.population import Unit
from fleet.run.tally import Tally
from tests.run.fakes import small

POPULATION = small(6)
UNITS = POPULATION.units
SOLD = next(unit for unit in UNITS if unit.new_owner is not None)
KEPT = next(unit for unit in UNITS if unit.new_owner is None)
NEW_UID = "" if SOLD.new_owner is None else SOLD.new_owner.uid
DAY = "1970-01-01"


def row(number: int, uuid: str, **changes: Any) -> HistoryRow:
    product = next(unit.product.product_id for unit in UNITS if unit.uuid == uuid)
    before = HistoryRow(
        number, number, "unbind", "ok", account="owner@maker", batch=f"b{number}", uuid=uuid,
        product_id=product, day=DAY,
    )  # fmt: skip
    return msgspec.structs.replace(before, **changes)


def good() -> Evidence:
    """Return the evidence of a run in which all were unbound, one was rebound, one refused once."""
    history = [row(1, KEPT.uuid, status="refused", reason="token_full")]
    history += [row(number, unit.uuid) for number, unit in enumerate(UNITS, 2)]
    history.append(row(len(history) + 1, SOLD.uuid, operation="bind", account=NEW_UID))
    by_product = {p.product_id: 0 for p in POPULATION.products}
    for unit in UNITS:
        by_product[unit.product.product_id] += 1
    quotas = [Quota("account", "owner@maker", DAY, len(UNITS), 100)]
    quotas += [Quota("product", name, DAY, used, 100) for name, used in by_product.items()]
    heard: list[list[Heard]] = [[] for _ in UNITS]
    heard[KEPT.index].append(Heard(KEPT.index, 0, "activation_refused", "TOKEN_FULL"))
    heard[KEPT.index].append(Heard(KEPT.index, 0, "bad_qr", "whatever"))
    chips = {unit.index: chip(unit) for unit in UNITS}
    return Evidence(
        population=POPULATION,
        chips=chips,
        lights=[
            Seen(one.index, 0, one.lifecycle, one.session, one.light, "", "")
            for one in chips.values()
        ],
        heard=heard,
        audit=Audit([registered(unit) for unit in UNITS], quotas, []),
        history=history,
        tally=Tally(unbound={unit.index: "qr" for unit in UNITS}),
        apps=(
            App(SOLD.index, new=True, uuids=("a-child", SOLD.uuid)),
            App(SOLD.index, new=False, uuids=()),
        ),
    )


def chip(unit: Unit) -> Chip:
    sold = unit is SOLD
    state = (
        ("ONLINE", "UP", "NONE", "online") if sold else ("WAITING", "DOWN", "UNBOUND", "unbound")
    )
    return Chip(unit.index, *state, "", unit.dev_id, activated=sold)


def registered(unit: Unit) -> AuditedDevice:
    sold = unit is SOLD
    owner = NEW_UID if sold else ""
    return AuditedDevice(unit.uuid, unit.dev_id, unit.product.product_id, owner, sold, "")


def changed(evidence: Evidence, **changes: Any) -> Evidence:
    return msgspec.structs.replace(evidence, **changes)


def with_device(evidence: Evidence, uuid: str, **changes: Any) -> Evidence:
    devices = [
        msgspec.structs.replace(device, **changes) if device.uuid == uuid else device
        for device in evidence.audit.devices
    ]
    return changed(evidence, audit=msgspec.structs.replace(evidence.audit, devices=devices))


def with_chip(evidence: Evidence, index: int, **changes: Any) -> Evidence:
    chips = dict(evidence.chips)
    chips[index] = msgspec.structs.replace(chips[index], **changes)
    return changed(evidence, chips=chips)


def without_chip(evidence: Evidence, index: int) -> Evidence:
    return changed(evidence, chips={i: chip for i, chip in evidence.chips.items() if i != index})


def with_rows(evidence: Evidence, *rows: HistoryRow) -> Evidence:
    return changed(evidence, history=[*evidence.history, *rows])


def with_quota(evidence: Evidence, **changes: Any) -> Evidence:
    first, *rest = evidence.audit.quotas
    quotas = [msgspec.structs.replace(first, **changes), *rest]
    return changed(evidence, audit=msgspec.structs.replace(evidence.audit, quotas=quotas))
