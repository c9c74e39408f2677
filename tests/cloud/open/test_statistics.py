"""Statistics over the Open API: activations, activity, users; per owner and data centre."""

from typing import Any

import msgspec
import pytest

from tests.cloud.open.people_world import PeopleWorld, register
from tests.cloud.support import CAMERA, DAY_MS, PLUG, SETTINGS, START_MS, FakeDevice

ZERO = {
    "today_active": "0",
    "yesterday_active": "0",
    "all_activate": "0",
    "near7_day_active": "0",
    "last7_day_active": "0",
    "compared_with_yesterday_active": "0",
}


def later(world: PeopleWorld, days: int) -> None:
    """Let days go by; tokens do not last that long."""
    world.world.now_ms += days * DAY_MS
    world.maker.connect()
    world.other.connect()


def devices(world: PeopleWorld, tail: str, **query: Any) -> Any:
    return world.ask("GET", f"/v1.0/devices/{tail}", **query)


def test_activations_by_day() -> None:
    world = PeopleWorld()
    assert devices(world, "active-datas-survey") == {
        **ZERO,
        "today_active": "4",
        "all_activate": "4",
        "near7_day_active": "4",
        "compared_with_yesterday_active": "4",
    }
    later(world, 1)
    counts = devices(world, "active-datas-survey", product_id=CAMERA)
    assert (counts["today_active"], counts["yesterday_active"]) == ("0", "4")
    assert counts["compared_with_yesterday_active"] == "-4"
    later(world, 6)
    counts = devices(world, "active-datas-survey", productId=CAMERA)
    assert (counts["near7_day_active"], counts["last7_day_active"]) == ("0", "4")
    assert counts["all_activate"] == "4"


def test_who_does_not_own_the_product_reads_zero() -> None:
    world = PeopleWorld()
    assert devices(world, "active-datas-survey", product_id=PLUG) == ZERO
    assert devices(world, "active-datas-survey", product_id=CAMERA, by=world.other) == ZERO
    assert devices(world, "active-datas-survey", product_id="nothing") == ZERO


def test_counts_are_per_centre() -> None:
    world = PeopleWorld()
    world.maker.prefix = "/us"
    world.maker.connect()
    assert devices(world, "active-datas-survey") == ZERO
    survey = world.ask("GET", "/v1.0/statistics-datas-survey")
    assert survey["app_register"] == {"today_add": "0", "yesterday_add": "0", "all_add": "0"}


def test_activity_by_day() -> None:
    world = PeopleWorld()
    FakeDevice(world.world, 0).go_online()
    later(world, 1)
    assert devices(world, "live-datas-survey") == {
        "today_live": "1",
        "yesterday_live": "4",
        "near7_day_live": "4",
        "last7_day_live": "0",
        "rate_of_today_live": "25.00%",
        "compared_with_yesterday_live": "0.25",
    }
    both = devices(world, "datas-survey")
    assert set(both) == {"dev_active", "dev_live"}
    nothing = devices(world, "live-datas-survey", product_id=PLUG)
    assert nothing["rate_of_today_live"] == "0.00%"
    assert "compared_with_yesterday_live" not in nothing


def test_a_report_keeps_a_device_alive() -> None:
    world = PeopleWorld()
    later(world, 3)
    camera = FakeDevice(world.world, 0)
    camera.go_online()
    camera.report(b'{"1":true}')
    camera.drop()
    later(world, 1)
    counts = devices(world, "live-datas-survey")
    assert (counts["today_live"], counts["yesterday_live"]) == ("0", "1")


def test_users_are_counted() -> None:
    world = PeopleWorld()
    later(world, 1)
    register(world)
    survey = world.ask("GET", "/v1.0/statistics-datas-survey")
    assert set(survey) == {"dev_active", "app_register"}
    assert survey["app_register"] == {"today_add": "1", "yesterday_add": "6", "all_add": "7"}


def test_figures_for_each_day() -> None:
    world = PeopleWorld()
    FakeDevice(world.world, 0).go_online()
    later(world, 1)
    assert devices(world, "active-datas", date_type="day") == [{"20231115": 0}]
    week = devices(world, "active-datas")
    assert len(week) == 7
    assert week[-2:] == [{"20231114": 4}, {"20231115": 0}]
    assert devices(world, "accumulate-active-datas")[-2:] == [{"20231114": 4}, {"20231115": 4}]
    assert devices(world, "live-datas")[-2:] == [{"20231114": 4}, {"20231115": 1}]
    assert len(devices(world, "live-datas", date_type="weeks")) == 14
    assert len(devices(world, "live-datas", date_type="month")) == 30
    assert world.refused("GET", "/v1.0/devices/live-datas", date_type="year") == 1109


def test_the_day_has_a_zone() -> None:
    choices = msgspec.structs.replace(SETTINGS, open_statistics_day_offset_min=120)
    assert START_MS % DAY_MS > 22 * 3_600_000, "two hours later it is another day"
    world = PeopleWorld(choices)
    assert devices(world, "active-datas", date_type="day") == [{"20231115": 4}]


def at_home(world: PeopleWorld, number: int, country_code: str) -> None:
    """Give a device to a user of another country."""
    uid = register(world, username=f"from {country_code}", country_code=country_code)
    device = world.world.state.devices.get(f"uuid{number:04}")
    assert device is not None
    moved = msgspec.structs.replace(device, owner=uid, last_owner=uid)
    world.world.rule(lambda s: s.devices.add(moved))


def test_where_devices_are() -> None:
    world = PeopleWorld()
    at_home(world, 0, "49")
    expected = [
        {"name": "Unknown", "value": "3", "percentage": "75.00%"},
        {"name": "Germany", "value": "1", "percentage": "25.00%"},
    ]
    for path in (
        "/v1.0/devices/locations-active-datas",
        "/v1.1/devices/locations-active-datas",
        "/v1.0/devices/locations-live-datas",
    ):
        assert world.ask("GET", path, date_type="day", type="country") == expected
        assert world.ask("GET", path, date_type="day", limit=1) == expected[:1]
        assert world.ask("GET", path, date_type="day", limit=0) == []
        (whole,) = world.ask("GET", path, date_type="week", type="city")
        assert whole == {"name": "Unknown", "value": "4", "percentage": "100.00%"}
        assert world.refused("GET", path, limit=101) == 1101
    later(world, 1)
    assert devices(world, "locations-active-datas", date_type="day") == []
    assert devices(world, "locations-live-datas", date_type="day") == []


def test_the_trend_is_by_country_and_day() -> None:
    world = PeopleWorld()
    at_home(world, 0, "86")
    later(world, 1)
    path = "/v1.0/iot-data/devices/activation-total"
    params = '{"startDay":"20231114" ,"endDay":"20231115"}'
    rows = world.ask("GET", path, params=params)
    assert [(row["countryNameEn"], row["dt"]) for row in rows] == [
        ("China", "20231114"),
        ("Unknown", "20231114"),
        ("China", "20231115"),
        ("Unknown", "20231115"),
    ]
    assert rows[2] == {
        "activationNumTotal": 1,
        "activationNumToday": 0,
        "activationNumThirtyDay": 1,
        "activeNumToday": 0,
        "activeNumSevenDay": 1,
        "activeNumFourteenDay": 1,
        "countryName": "中国",
        "countryNameEn": "China",
        "dt": "20231115",
    }
    params = '{"startDay":"20231114","endDay":"20231114","country":"China","pid":"%s"}'
    (row,) = world.ask("GET", path, params=params % CAMERA)
    assert row["activationNumToday"] == 1
    assert world.ask("GET", path, params=params % PLUG) == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ("", 1100),
        ("{}", 1109),
        ('{"startDay":"20231399","endDay":"20231115"}', 1109),
        ('{"startDay":"20231115","endDay":"20231114"}', 1101),
        ('{"startDay":"20220101","endDay":"20231114"}', 1101),
        ('{"startDay":"\\u0661","endDay":"20231114"}', 1109),
    ],
)
def test_what_is_no_trend(params: str, code: int) -> None:
    path = "/v1.0/iot-data/devices/activation-total"
    assert PeopleWorld().refused("GET", path, params=params) == code


def test_activations_between_two_dates() -> None:
    world = PeopleWorld()
    path = "/v1.0/cloud/analytics/devices/active-datas/date"
    found = world.ask("GET", path, start_day="20231113", end_day="20231114")
    assert found == [{"20231113": 0}, {"20231114": 4}]
    assert world.refused("GET", path, start_day="20231113") == 1100
    assert world.refused("GET", path, start_day="yesterday", end_day="20231114") == 1109
