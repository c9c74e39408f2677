import pytest

from fleet.run.bridge import stand


@pytest.fixture(autouse=True)
def short_nights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here has capacitors."""
    monkeypatch.setattr(stand, "DARK_S", 0.0)
