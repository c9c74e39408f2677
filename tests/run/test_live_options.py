"""What follows from how a live fleet is run."""

from pathlib import Path

import pytest

from fleet import doctor
from fleet.run.live_options import Options, cloud_config, shard_count
from tests.run.fakes import small


@pytest.mark.parametrize(("devices", "wanted", "count"), [(6, 2, 2), (1, 4, 1), (6, 0, 3)])
def test_no_shard_is_without_devices(
    devices: int, wanted: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "shards_wanted", lambda _devices, _cores: 3)
    assert shard_count(devices, wanted) == count


def test_the_cloud_lives_in_the_folder_of_the_run(tmp_path: Path) -> None:
    config = cloud_config(small(6), Options(decoder="zxing", tls=True), tmp_path, "secret")
    assert config.data == str(tmp_path / "cloud")
    assert (config.host, config.public, config.tls) == ("127.0.0.1", False, True)
    assert config.settings.admin_secret == "secret"
