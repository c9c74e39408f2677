"""What must hold at the end of a run, over fleet and cloud together. One function per invariant.

Each takes the same `Evidence` and yields one line per violation. None of them asks how the run
went: devices say what is on their chips, the cloud says what is in its books, and the two are
held against each other.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from firmware_sim.device.indicator import shown
from firmware_sim.device.states import Lifecycle, Outcome, Session
from fleet.app.messages import HistoryRow
from fleet.cloud.api.admin_api import Audit, AuditedDevice
from fleet.run.messages import Chip, Heard, Seen
from fleet.run.population import Population, Unit
from fleet.run.tally import Tally

VIOLATIONS_PER_INVARIANT_MAX = 20
TRY_AGAIN = "try_again"  # no refusal: somebody else's broker was not ready for the device yet


class Evidence(msgspec.Struct, frozen=True):
    """Everything that is known at the end; all indexed like the units of the population.

    `chips`: what each device is and holds. `lights`: the last state that each was seen in.
    `heard`: notes of each device. `history`: all rows that the products' owner sees, by id.
    """

    population: Population
    chips: Mapping[int, Chip]
    lights: list[Seen]
    heard: list[list[Heard]]
    audit: Audit
    history: list[HistoryRow]
    tally: Tally

    def registered(self) -> Iterator[tuple[Unit, AuditedDevice]]:
        """Yield each unit with what the cloud's registry says of it."""
        by_uuid = {device.uuid: device for device in self.audit.devices}
        for unit in self.population.units:
            if unit.uuid in by_uuid:
                yield unit, by_uuid[unit.uuid]


def one_owner(evidence: Evidence) -> Iterator[str]:
    """No device is bound to two accounts: by the history's account of it, and in the registry."""
    owners = {unit.uuid: unit.owner.uid for unit in evidence.population.units}
    for row in evidence.history:
        if row.status != "ok" or row.uuid not in owners:
            continue
        before = owners[row.uuid]
        if row.operation == "bind" and before not in ("", row.account):
            yield f"{row.uuid}: bound to {row.account} while it was bound to {before}"
        owners[row.uuid] = row.account if row.operation == "bind" else ""
    rows = Counter(device.uuid for device in evidence.audit.devices)
    ids = Counter(device.dev_id for device in evidence.audit.devices if device.dev_id)
    for name, count in (rows + ids).items():
        if count > 1:
            yield f"{name}: the registry has it {count} times"
    for unit, device in evidence.registered():
        if device.owner != owners[unit.uuid]:
            yield (
                f"{unit.uuid}: belongs to {device.owner or 'nobody'} by the registry, "
                f"to {owners[unit.uuid] or 'nobody'} by the history"
            )


def none_waiting_while_bound(evidence: Evidence) -> Iterator[str]:
    """No device is bound in the cloud and waiting on its chip, and none the other way round."""
    for unit, device in evidence.registered():
        chip = evidence.chips.get(unit.index)
        if chip is None:
            yield f"{unit.uuid}: no shard knows of it"
        elif device.owner and not chip.activated:
            yield f"{unit.uuid}: bound in the cloud, but {chip.lifecycle} without keys on its chip"
        elif chip.activated and not device.owner and not device.pending_reset:
            yield f"{unit.uuid}: keys on its chip ({chip.lifecycle}), but nobody's in the cloud"


def everyone_known(evidence: Evidence) -> Iterator[str]:
    """Every unit is in the registry, under the device id that its chip was given."""
    known = {unit.uuid: device for unit, device in evidence.registered()}
    for unit in evidence.population.units:
        if unit.uuid not in known:
            yield f"{unit.uuid}: the registry has lost it"
            continue
        chip = evidence.chips.get(unit.index)
        if chip is not None and chip.dev_id and chip.dev_id != known[unit.uuid].dev_id:
            yield f"{unit.uuid}: is {chip.dev_id} by its chip, {known[unit.uuid].dev_id} by the cloud"


def quotas_add_up(evidence: Evidence) -> Iterator[str]:
    """Quota used equals devices unbound: per account, per product, and by what operators saw."""
    by_history: Counter[tuple[str, str]] = Counter()
    released: Counter[str] = Counter()
    for row in evidence.history:
        if row.operation == "unbind" and row.status == "ok":
            by_history[("account", row.account)] += 1
            by_history[("product", row.product_id)] += 1
            released[row.uuid] += 1
    used: Counter[tuple[str, str]] = Counter()
    for quota in evidence.audit.quotas:
        used[(quota.scope, quota.name)] += quota.used
    for scope, name in sorted(by_history.keys() | used.keys()):
        spent, unbound = used[(scope, name)], by_history[(scope, name)]
        if spent != unbound:
            yield f"quota of {scope} {name}: {spent} used, {unbound} devices unbound"
    for unit in evidence.population.units:
        seen = unit.index in evidence.tally.unbound
        if seen != (released[unit.uuid] > 0):
            yield f"{unit.uuid}: unbound {released[unit.uuid]} times, its operator saw {int(seen)}"


def refusals_recorded(evidence: Evidence) -> Iterator[str]:
    """Every refusal that a device was told has a history row with that reason."""
    rows = {(row.uuid, row.reason) for row in evidence.history if row.status == "refused"}
    for unit, notes in zip(evidence.population.units, evidence.heard, strict=True):
        for note in notes:
            reason = note.detail.lower()
            if note.kind != "activation_refused" or reason == TRY_AGAIN:
                continue
            if (unit.uuid, reason) not in rows:
                yield f"{unit.uuid}: was refused for {reason}, the history has no such row"


def limits_kept(evidence: Evidence) -> Iterator[str]:
    """No quota is exceeded, and no code has released more devices than it may."""
    for quota in evidence.audit.quotas:
        if quota.used > quota.limit:
            yield f"quota of {quota.scope} {quota.name}: {quota.used} used of {quota.limit}"
    batches = Counter(
        row.batch for row in evidence.history if row.operation == "unbind" and row.status == "ok"
    )
    for batch, count in batches.items():
        if count > evidence.population.scenario.batch_max:
            yield f"batch {batch}: released {count} devices"


def lights_agree(evidence: Evidence) -> Iterator[str]:
    """Every device shows the light of the state it is in, and that is what was seen of it."""
    for unit in evidence.population.units:
        chip = evidence.chips.get(unit.index)
        if chip is None:
            continue
        due = shown(Lifecycle[chip.lifecycle], Session[chip.session], Outcome[chip.outcome])
        if chip.light != due.light:
            yield f"{unit.uuid}: shows {chip.light!r}, but {chip.lifecycle} is {due.light!r}"
        seen = evidence.lights[unit.index]
        if seen.light != chip.light:
            yield f"{unit.uuid}: was last seen with {seen.light!r} and shows {chip.light!r}"
        if chip.light not in evidence.population.profile(unit).indicator:
            yield f"{unit.uuid}: its model has no light {chip.light!r}"


def online_is_known(evidence: Evidence) -> Iterator[str]:
    """Every device that has a session is online by the cloud's books.

    The other way round takes time: a device that vanished without a word is missed by its keep-alive.
    """
    for unit, device in evidence.registered():
        chip = evidence.chips.get(unit.index)
        if chip is None or chip.severed:
            continue
        if Session[chip.session] is Session.UP and not device.online:
            yield f"{unit.uuid}: has a session, and is offline by the cloud"


def people_agree(evidence: Evidence) -> Iterator[str]:
    """What operators read from lights is what the history says."""
    yield from evidence.tally.contradictions


Invariant = Callable[[Evidence], Iterable[str]]

INVARIANTS: tuple[Invariant, ...] = (
    one_owner,
    none_waiting_while_bound,
    everyone_known,
    quotas_add_up,
    refusals_recorded,
    limits_kept,
    lights_agree,
    online_is_known,
    people_agree,
)


def violations(evidence: Evidence) -> list[str]:
    """Check everything; return `name: what` per violation, a bounded number of each."""
    found = []
    for invariant in INVARIANTS:
        lines = [f"{invariant.__name__}: {line}" for line in invariant(evidence)]
        found += lines[:VIOLATIONS_PER_INVARIANT_MAX]
        if len(lines) > VIOLATIONS_PER_INVARIANT_MAX:
            more = len(lines) - VIOLATIONS_PER_INVARIANT_MAX
            found.append(f"{invariant.__name__}: and {more} more")
    return found
