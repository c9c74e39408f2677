"""`fleet app history`, `quotas` and `cancel`."""

import asyncio
from typing import Any

import msgspec
import pytest
from rich.console import Console

from fleet.app.messages import HistoryRow
from fleet.commands.access import Access
from fleet.commands.history import Filter, cancel_batch, show_history, show_quotas
from tests.app.fake_cloud import FakeCloud

ANN = Access("http://cloud.test", "ann", "pw")


def page(*ids: int, further: int | None = None) -> dict[str, Any]:
    rows = [
        {"id": i, "time_ms": 1, "operation": "unbind", "status": "ok", "uuid": f"u{i}"} for i in ids
    ]
    return {"rows": rows, "next": further}


def text(screen: Console) -> str:
    return screen.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_latest_rows_are_shown(cloud: FakeCloud, screen: Console) -> None:
    for result in ({"session": "s"}, page(1, 2, further=2), page(3)):
        cloud.accept(result)
    wanted = Filter(batch="b1", status="ok", limit=2)
    assert asyncio.run(show_history(ANN, wanted, screen, as_json=False)) == 0
    lines = text(screen).splitlines()
    assert [line.split()[3] for line in lines[1:]] == ["u2", "u3"]
    assert cloud.asked[1].endswith("&batch=b1&status=ok")


def test_json_is_one_row_per_line(
    cloud: FakeCloud, screen: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    for result in ({"session": "s"}, page(1, 2)):
        cloud.accept(result)
    asyncio.run(show_history(ANN, Filter(), screen, as_json=True))
    rows = [
        msgspec.json.decode(line, type=HistoryRow)
        for line in capsys.readouterr().out.split("\n")[:-1]
    ]
    assert [row.id for row in rows] == [1, 2]
    assert text(screen) == ""


def test_quotas(cloud: FakeCloud, screen: Console) -> None:
    cloud.accept({"session": "s"})
    cloud.accept({"day": "2026-01-02", "account": {"used": 1, "limit": 100}, "products": []})
    assert asyncio.run(show_quotas(ANN, screen)) == 0
    assert "2026-01-02" in text(screen)


def test_cancel(cloud: FakeCloud, screen: Console) -> None:
    cloud.accept({"session": "s"})
    cloud.accept({})
    assert asyncio.run(cancel_batch(ANN, "b1", screen)) == 0
    assert cloud.asked[1] == "DELETE /console/v1/unbind-tokens/b1"
    assert text(screen) == "batch b1 is cancelled\n"
