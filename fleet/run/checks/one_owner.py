"""No device is bound to two accounts, and no strong binding passes on without a release."""

from collections import Counter
from collections.abc import Iterator

from fleet.cloud.devices import Device
from fleet.cloud.products import Binding, Product
from fleet.run.checks.evidence import Evidence
from fleet.run.checks.scene import Checker, Scene


def at_end(evidence: Evidence) -> Iterator[str]:
    """Hold the history's account of all bindings, and the registry, against each other."""
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


class Watcher(Checker):
    """Looks at each change of a device that is written."""

    def __init__(self, scene: Scene) -> None:
        """Follow devices and products."""
        super().__init__(scene)
        self._products = scene.books.keep(Product)
        self._uuids: dict[str, str] = {}
        scene.books.keep(Device)
        scene.books.look(Device, self._changed)

    def _changed(self, before: Device | None, after: Device | None) -> None:
        if after is None:
            assert before is not None, "devices are kept"
            self._uuids.pop(before.dev_id, None)
            return
        if after.dev_id and self._uuids.setdefault(after.dev_id, after.uuid) != after.uuid:
            self.violated(after.uuid, f"has the device id of {self._uuids[after.dev_id]}")
        if before is None or not after.owner or before.owner in ("", after.owner):
            return
        product = self._products.get(after.product_id)
        if product is not None and product.binding == Binding.STRONG:
            self.violated(
                after.uuid, f"passed from {before.owner} to {after.owner} without a release"
            )
