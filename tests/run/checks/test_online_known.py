"""Who has a session is online in the books."""

import pytest

from fleet.cloud.api.device_link import DeviceLink
from fleet.run.checks import online_known
from tests.run.checks.evidence import KEPT, SOLD, good, with_chip, with_device, without_chip
from tests.run.checks.support import planted, says


def test_it_can_fail_at_the_end() -> None:
    assert list(online_known.at_end(good())) == []
    [line] = online_known.at_end(with_device(good(), SOLD.uuid, online=False))
    assert "has a session, and is offline by the cloud" in line


def test_the_cloud_may_not_have_missed_a_device_yet_nor_the_device_the_cloud() -> None:
    assert list(online_known.at_end(with_device(good(), KEPT.uuid, online=True))) == []
    evidence = with_device(good(), SOLD.uuid, online=False)
    assert list(online_known.at_end(with_chip(evidence, SOLD.index, severed=True))) == []
    assert list(online_known.at_end(without_chip(evidence, SOLD.index))) == []


def test_a_cloud_that_takes_everybody_for_offline_is_caught() -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(DeviceLink, "online", lambda *_: False)

    assert says(planted(plant), "online_known", "has a session, and is offline by the cloud")
