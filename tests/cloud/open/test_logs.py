"""Device logs: which events there are, and the pages of each family."""

from typing import Any

import msgspec
import pytest

from fleet.cloud.history import DeviceEvent
from fleet.cloud.open.logs import EVENTS
from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.support import REPAIR, SETTINGS, START_MS, assert_reloads

ID = "bfdevice00000000000000"
LOGS = f"/v1.0/devices/{ID}/logs"
CORE_LOGS = f"/v2.0/cloud/thing/{ID}/logs"
INDUSTRY_LOGS = f"/v1.0/iot-03/devices/{ID}/logs"
REPORTS = (f"/v1.0/iot-03/devices/{ID}/report-logs", f"/v2.0/cloud/thing/{ID}/report-logs")
ALL = "1,2,3,4,5,6,7,8,9,10"
SPAN = {"start_time": START_MS - 1, "end_time": START_MS + 10**9}


def settings(**choices: Any) -> Any:
    return msgspec.structs.replace(SETTINGS, **choices)


def a_day(world: DevicesWorld) -> None:
    """Let the camera come, report, be commanded, restart, and go; one second each."""
    camera = world.online()
    world.world.now_ms += 1_000
    camera.report(b'{"1":true,"3":"white","8":true}')
    world.world.now_ms += 1_000
    commands = [{"code": "switch_1", "value": False}]
    world.send("POST", f"/v1.0/devices/{ID}/commands", {"commands": commands})
    assert len(world.commands()) == 1
    world.world.now_ms += 1_000
    camera.rpc("tuya.device.upgrade.silent.get")
    world.world.now_ms += 1_000
    camera.drop()


def shown(page: Any) -> list[tuple[int, str, str]]:
    return [(one["event_id"], one["code"], one["value"]) for one in page["logs"]]


def test_an_entry_has_these_fields_and_types() -> None:
    world = DevicesWorld()
    world.online().report(b'{"2":15}')
    page = world.get(LOGS, type="7", **SPAN)
    assert page == {
        "logs": [
            {
                "code": "bright_value",
                "value": "15",
                "event_time": START_MS,
                "event_from": "1",
                "event_id": 7,
                "status": "1",
            }
        ],
        "device_id": ID,
        "has_next": False,
        "current_row_key": page["current_row_key"],
    }


def test_a_day_the_latest_first() -> None:
    world = DevicesWorld()
    a_day(world)
    page = world.get(LOGS, type=ALL, **SPAN)
    assert shown(page) == [
        (2, "", ""),
        (9, "", ""),
        (5, "switch_1", "false"),
        (7, "work_mode", "white"),
        (7, "switch_1", "true"),
        (1, "", ""),
    ]
    assert [one["event_from"] for one in page["logs"]] == ["1", "1", "4", "1", "1", "1"]
    assert world.get(CORE_LOGS, type=ALL, size=20, query_type="", **SPAN) == page
    assert_reloads(world.world)


def test_types_times_and_codes_select() -> None:
    world = DevicesWorld()
    a_day(world)
    assert shown(world.get(LOGS, type="1,2", **SPAN)) == [(2, "", ""), (1, "", "")]
    assert shown(world.get(LOGS, type="7", codes="work_mode,nosuch", **SPAN)) == [
        (7, "work_mode", "white")
    ]
    for unit in (1, 1_000):  # clients give ms or seconds
        span = {
            "start_time": (START_MS + 2_000) // unit,
            "end_time": (START_MS + 3_000) // unit,
        }
        assert [event for event, _, _ in shown(world.get(LOGS, type=ALL, **span))] == [9, 5]
    assert shown(world.get(LOGS, type="8,10", **SPAN)) == []
    assert world.get(LOGS, type="8,10", **SPAN)["current_row_key"] == ""


@pytest.mark.parametrize(
    ("end", "event_from"),
    [
        (lambda w: w.ask("DELETE", f"/v1.0/devices/{ID}"), "4"),
        (
            lambda w: w.world.get("DELETE", f"/app/v1/devices/{ID}", None, w.world.consumer(0)),
            "2",
        ),
        (lambda w: w.camera.rpc("tuya.device.reset"), "1"),
        (
            lambda w: w.camera.activate(w.world.unbind_token(w.world.account(REPAIR))["token"]),
            "4",
        ),
    ],
)
def test_every_way_out_is_a_reset(end: Any, event_from: str) -> None:
    world = DevicesWorld()
    world.online()
    end(world)
    world.camera.activate(world.world.pair_token(world.world.consumer(0)))
    page = world.get(LOGS, type="3,4", **SPAN)
    assert [(one["event_id"], one["event_from"]) for one in page["logs"]] == [
        (3, "1"),
        (4, event_from),
    ]


@pytest.mark.parametrize(("event_id", "seen"), [(0, []), (3, [3])])
def test_what_an_unbinding_looks_like_is_a_setting(event_id: int, seen: list[int]) -> None:
    world = DevicesWorld(settings(open_unbind_event_id=event_id))
    world.world.rule(lambda s: s.device_log.add("uuid0000", DeviceEvent.UNBOUND, START_MS))
    assert [event for event, _, _ in shown(world.get(LOGS, type=ALL, **SPAN))] == seen


def test_what_is_ours_alone_has_no_number() -> None:
    ours = {event.value for event in DeviceEvent} - EVENTS.keys()
    resets = {"reset_sent", "reset_confirmed", "reset_fetched"}
    upgrades = {"upgrade_ordered", "upgrade_failed"}
    assert ours == {"taken_over", "unbound", "restart_reason"} | resets | upgrades


# --- paging -------------------------------------------------------------------------------------


def busy(world: DevicesWorld, reports: int = 7) -> list[str]:
    """Let the camera report that often; return the values, the latest first."""
    world.online()
    for number in range(reports):
        world.world.now_ms += number % 2  # some of them at the same time
        world.camera.report(b'{"2":%d}' % (10 + 5 * number))
    return [str(10 + 5 * number) for number in reversed(range(reports))]


def test_free_paging_begins_at_the_key_of_the_next_row() -> None:
    world = DevicesWorld()
    values = busy(world)
    seen: list[str] = []
    query: dict[str, str] = {}
    for _ in range(3):
        page = world.get(LOGS, type="7", size=3, **SPAN, **query)
        assert (page["current_row_key"] == query.get("start_row_key")) is bool(query)
        seen += [one["value"] for one in page["logs"]]
        query = {"start_row_key": page.get("next_row_key", "")}
    assert seen == values
    assert "next_row_key" not in page
    assert page["has_next"] is False


def test_paid_paging_goes_on_after_the_row_of_the_last_line() -> None:
    world = DevicesWorld()
    values = busy(world)
    seen, last = [], {"last_row_key": "", "last_event_time": ""}
    for _ in range(3):
        page = world.get(LOGS, type="7", size=3, query_type=2, **SPAN, **last)
        assert page["count"] == 7
        assert "next_row_key" not in page
        seen += [one["value"] for one in page["logs"]]
        line = page["logs"][-1]
        last = {"last_row_key": line["row"], "last_event_time": line["event_time"]}
    assert (seen, page["has_next"]) == (values, False)


def test_the_industry_family_pages_by_the_last_key() -> None:
    world = DevicesWorld()
    values = busy(world)
    seen, key = [], ""
    for _ in range(3):
        page = world.get(INDUSTRY_LOGS, event_types="7", size=3, last_row_key=key, **SPAN)
        assert page.keys() == {"logs", "device_id", "has_next", "last_row_key", "count"}
        seen += [one["value"] for one in page["logs"]]
        key = page["last_row_key"]
    assert (seen, page["has_next"], page["count"]) == (values, False, 7)
    empty = world.get(INDUSTRY_LOGS, event_types="10", **SPAN)
    assert (empty["logs"], empty["last_row_key"], empty["count"]) == ([], "", 0)


@pytest.mark.parametrize("path", REPORTS)
def test_reports_alone(path: str) -> None:
    world = DevicesWorld()
    values = busy(world)
    seen, key = [], ""
    for _ in range(3):
        page = world.get(path, codes="bright_value", size=3, last_row_key=key, **SPAN)
        assert page.keys() == {"logs", "device_id", "has_more", "last_row_key", "total"}
        seen += [one["value"] for one in page["logs"]]
        key = page["last_row_key"]
    assert page["logs"][0].keys() == {"code", "value", "event_time"}
    assert (seen, page["has_more"], page["total"]) == (values, False, 7)
    assert world.refused("GET", path, **SPAN) == 1100
    assert world.refused("GET", path, codes="", **SPAN) == 1100
    assert world.refused("GET", path, None, world.other, codes="bright_value", **SPAN) == 1106


def test_a_page_has_twenty_lines_and_never_more_than_a_hundred() -> None:
    world = DevicesWorld()
    busy(world, 110)
    for query, rows in (({}, 20), ({"size": 100}, 100), ({"size": 500}, 100)):
        page = world.get(LOGS, type="7", **SPAN, **query)
        assert (len(page["logs"]), page["has_next"]) == (rows, True)


@pytest.mark.parametrize("path", [LOGS, CORE_LOGS, INDUSTRY_LOGS])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": None, "event_types": None}, 1100),
        ({"start_time": None}, 1100),
        ({"end_time": None}, 1100),
        ({"type": ",", "event_types": ","}, 1100),
        ({"type": "0", "event_types": "0"}, 1109),
        ({"type": "1,11", "event_types": "1,11"}, 1109),
        ({"type": "x", "event_types": "x"}, 1109),
        ({"size": "0"}, 1101),
        ({"start_time": "soon"}, 1109),
    ],
)
def test_logs_that_are_refused(path: str, change: dict[str, object], code: int) -> None:
    world = DevicesWorld()
    asked = {"type": "1", "event_types": "1", "size": 20, "query_type": 1, **SPAN, **change}
    query = {name: value for name, value in asked.items() if value is not None}
    assert world.refused("GET", path, **query) == code


def test_version_2_leaves_nothing_out() -> None:
    world = DevicesWorld()
    assert world.refused("GET", CORE_LOGS, type="1", size=20, **SPAN) == 1100
    assert world.refused("GET", CORE_LOGS, type="1", query_type=1, **SPAN) == 1100
    assert world.refused("GET", LOGS, type="1", query_type=3, **SPAN) == 1101


@pytest.mark.parametrize("path", [CORE_LOGS, INDUSTRY_LOGS])
def test_a_strangers_log(path: str) -> None:
    world = DevicesWorld()
    query = {"type": "1", "event_types": "1", "size": 20, "query_type": 1, **SPAN}
    assert world.refused("GET", path, None, world.other, **query) == 1106
