"""Who may unbind: owner, developing partner, member with such a role, origin; nobody else."""

from typing import Any

import msgspec
import pytest

from fleet.cloud.accounts import Accounts, CustomRole
from fleet.cloud.history import HistoryRow
from fleet.cloud.permissions import Decision, Grant
from fleet.cloud.products import Product
from fleet.cloud.store.records import Put, Record
from fleet.run.checks import unbinding_permitted
from fleet.run.checks.unbinding_permitted import Watcher
from tests.run.checks.evidence import KEPT, good, row, with_rows
from tests.run.checks.support import a_scene, planted, says

ROW = HistoryRow(
    id=1, time_ms=0, day="", account="me", owner="maker", operation="unbind", method="qr",
    batch="", uuid="u1", dev_id="", product_id="p", status="ok", reason="",
)  # fmt: skip


def found(*records: Record) -> list[str]:
    """Return what is found when these records are written and then a release."""
    scene = a_scene()
    Watcher(scene)
    scene.books.take((Put(Product("p", "", "", "maker")), *map(Put, records), Put(ROW)))
    return scene.findings.lines()


def grant(kind: str, role: str, **changes: Any) -> Grant:
    usual = {"owner": "maker", "grantee": "me", "products": ("o", "p")} | changes
    return Grant(grant_id="1", kind=kind, role=role, **usual)


@pytest.mark.parametrize(
    "records",
    [
        (grant("partner", "development"),),
        (grant("partner", "both"),),
        (grant("space", "After sale"),),
        (grant("space", "Administrators"),),
        (grant("origin", "unbind"),),
        (grant("space", "mine"), CustomRole("maker", "mine", ("see_product", "unbind"))),
        (Product("p", "", "", "me"),),
    ],
)
def test_who_may(records: tuple[Record, ...]) -> None:
    assert found(*records) == []


@pytest.mark.parametrize(
    "records",
    [
        (),
        (grant("partner", "purchase"),),
        (grant("partner", "After sale"),),
        (grant("space", "customer service"),),
        (grant("space", "mine"), CustomRole("maker", "mine", ("see_product",))),
        (grant("space", "mine"), CustomRole("other", "mine", ("unbind",))),
        (grant("partner", "mine"), CustomRole("maker", "mine", ("unbind",))),
        (grant("partner", "development", owner="other"),),
        (grant("partner", "development", grantee="you"),),
        (grant("partner", "development", products=("o",)),),
        (grant("partner", "development"), Product("p", "", "", "")),
    ],
)
def test_who_may_not(records: tuple[Record, ...]) -> None:
    assert found(*records) == [
        "unbinding_permitted: u1: unbound by me, who has no right to, at 0.000 s"
    ]


def test_only_releases_count() -> None:
    scene = a_scene()
    Watcher(scene)
    for changes in ({"operation": "bind"}, {"status": "refused"}):
        scene.books.take((Put(msgspec.structs.replace(ROW, **changes)),))
    assert scene.findings.lines() == []


@pytest.mark.parametrize(
    ("account", "count"), [("shop@partner", 1), ("", 1), ("repair@partner", 0)]
)
def test_it_can_fail_at_the_end(account: str, count: int) -> None:
    assert list(unbinding_permitted.at_end(good())) == []
    evidence = with_rows(good(), row(100, KEPT.uuid, account=account))
    assert len(list(unbinding_permitted.at_end(evidence))) == count


def test_a_cloud_that_lets_everybody_unbind_is_caught() -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Accounts, "may_unbind", lambda *_: Decision(allowed=True, why=""))

    violations = planted(plant)
    assert says(
        violations, "unbinding_permitted", "unbound by shop@partner, who has no right to, at"
    )
    assert says(violations, "unbinding_permitted", "unbound by shop@partner, who has no right to")
