"""Nobody has a device that is somebody else's."""

from collections.abc import Callable

import msgspec
import pytest

from fleet.cloud import activation
from fleet.cloud.devices import Device
from fleet.cloud.products import Product
from fleet.cloud.store.records import Delete, Put
from fleet.run.checks import one_owner
from fleet.run.checks.evidence import Evidence
from tests.run.checks.evidence import SOLD, changed, good, row, with_device, with_rows
from tests.run.checks.support import a_scene, planted, says


def twice(evidence: Evidence) -> Evidence:
    devices = [*evidence.audit.devices, evidence.audit.devices[0]]
    return changed(evidence, audit=msgspec.structs.replace(evidence.audit, devices=devices))


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        (
            "bound to x while it was bound to",
            lambda e: with_rows(e, row(100, SOLD.uuid, operation="bind", account="x")),
        ),
        ("the registry has it 2 times", twice),
        ("belongs to x by the registry", lambda e: with_device(e, SOLD.uuid, owner="x")),
    ],
)
def test_it_can_fail_at_the_end(text: str, damage: Callable[[Evidence], Evidence]) -> None:
    assert list(one_owner.at_end(good())) == []
    assert any(text in line for line in one_owner.at_end(damage(good())))


def test_a_cloud_that_lets_anybody_bind_is_caught() -> None:
    found = planted(lambda patch: patch.setattr(activation, "may_bind", lambda *_: True))
    assert says(found, "one_owner", "without a release, at ")
    assert says(found, "one_owner", "while it was bound to")


def test_so_are_two_devices_of_one_id() -> None:
    scene = a_scene()
    one_owner.Watcher(scene)
    first, second = (Device(uuid, "k" * 32, "p", dev_id="d") for uuid in ("u1", "u2"))
    scene.books.take((Put(first), Put(second), Delete(Device, ("u1",))))
    scene.books.take((Put(second),))
    assert scene.findings.lines() == ["one_owner: u2: has the device id of u1, at 0.000 s"]


@pytest.mark.parametrize(("binding", "count"), [("strong", 1), ("medium", 0), ("weak", 0)])
def test_only_a_strong_binding_lasts_until_it_is_released(binding: str, count: int) -> None:
    scene = a_scene()
    one_owner.Watcher(scene)
    device = Device("u1", "k" * 32, "p", owner="a")
    other = msgspec.structs.replace(device, owner="b")
    nobodys = msgspec.structs.replace(device, owner="")
    scene.books.take((Put(Product("p", "", "", "maker", binding=binding)), Put(device)))
    scene.books.take((Put(nobodys), Put(other), Put(other)))
    assert scene.findings.lines() == []
    scene.books.take((Put(device),))
    assert len(scene.findings.lines()) == count
