from firmware_sim.wire.lan_version import LanVersion


def test_versions_are_their_text_and_sort_by_age() -> None:
    assert list(LanVersion) == ["3.1", "3.2", "3.3", "3.4", "3.5"]
    assert sorted(LanVersion, reverse=True) == list(LanVersion)[::-1]
    assert LanVersion("3.4") is LanVersion.V34


def test_what_changes_with_the_versions() -> None:
    assert [v for v in LanVersion if v.negotiates] == ["3.4", "3.5"]
    assert [v for v in LanVersion if v.sealed] == ["3.5"]
