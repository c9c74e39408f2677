"""Statistics of a developer's devices and users: activations and activity, by day and by country.

Counted are devices of products that the caller's account owns, paired in the call's data centre;
anybody else reads 0 ("Open API FAQ"). Sources: "Get Overview of Activated Device Data", "Get Data
Overview of Active Devices", "Data Dashboard Service", "Get Total Activation Data Trend", "Get Daily
Activated Devices" (developer.tuya.com), the last of them for the shape of all figures by day.
What is counted how is said in `fleet.cloud.open.device_counts`.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from firmware_sim.errors import Malformed
from firmware_sim.wire.structs import decode_json
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.device_counts import UNKNOWN, Name, Tally, day_of, tally
from fleet.cloud.open.routes import Family, OpenCall, Route

DAYS_MAX = 60

_EPOCH = date(1970, 1, 1).toordinal()
_DAYS = {"day": 1, "week": 7, "weeks": 14, "month": 30}
DateType = Literal["day", "week", "weeks", "month"]


# --- what is asked ------------------------------------------------------------------------------


class ProductQuery(msgspec.Struct, frozen=True):
    """Which product, all of the account's without one; clients spell it in two ways."""

    product_id: str = ""
    camel_product_id: str = msgspec.field(default="", name="productId")


class DailyQuery(ProductQuery, frozen=True):
    """How far back."""

    date_type: DateType = "week"


class PlacesQuery(DailyQuery, frozen=True):
    """What counts as a place, and how many of them."""

    type: Literal["country", "province", "city"] = "country"
    limit: Annotated[int, Meta(ge=0, le=100)] = 100


class DatesQuery(ProductQuery, frozen=True, kw_only=True):
    """From which day to which, `YYYYMMDD`, both included."""

    start_day: str
    end_day: str


class TrendQuery(msgspec.Struct, frozen=True):
    """JSON in the query."""

    params: str


class Trend(msgspec.Struct, frozen=True, rename="camel"):
    """From which day to which, of which country (by its English name) and product."""

    start_day: str
    end_day: str
    country: str = ""
    pid: str = ""


# --- what is answered ---------------------------------------------------------------------------


class Activations(msgspec.Struct, frozen=True):
    """Devices paired for the first time; "last" seven days are those before the "near" ones."""

    today_active: str
    yesterday_active: str
    all_activate: str
    near7_day_active: str
    last7_day_active: str
    compared_with_yesterday_active: str


class Activity(msgspec.Struct, frozen=True):
    """Devices that were heard of; the comparison is a ratio, left out without a yesterday."""

    today_live: str
    yesterday_live: str
    near7_day_live: str
    last7_day_live: str
    rate_of_today_live: str
    compared_with_yesterday_live: str | msgspec.UnsetType = msgspec.UNSET


class Registrations(msgspec.Struct, frozen=True):
    """Users who registered with the project's apps."""

    today_add: str
    yesterday_add: str
    all_add: str


class Survey(msgspec.Struct, frozen=True):
    """Devices and users; what the vendor has besides them (feedback, faults) there is none of."""

    dev_active: Activations
    app_register: Registrations


class DeviceSurvey(msgspec.Struct, frozen=True):
    """Devices."""

    dev_active: Activations
    dev_live: Activity


class PlaceShare(msgspec.Struct, frozen=True):
    """How many of the devices are in one place."""

    name: str
    value: str
    percentage: str


class TrendRow(msgspec.Struct, frozen=True, rename="camel"):
    """One country on one day."""

    activation_num_total: int
    activation_num_today: int
    activation_num_thirty_day: int
    active_num_today: int
    active_num_seven_day: int
    active_num_fourteen_day: int
    country_name: str
    country_name_en: str
    dt: str


# --- handlers -----------------------------------------------------------------------------------


def see_survey(call: OpenCall) -> Survey:
    """Show how many devices were activated and how many users registered."""
    return Survey(_activations(_asked(call)), _registrations(call))


def see_device_survey(call: OpenCall) -> DeviceSurvey:
    """Show how many devices were activated and how many are active."""
    counted = _asked(call)
    return DeviceSurvey(_activations(counted), _activity(counted))


def see_activations(call: OpenCall) -> Activations:
    """Show how many devices were activated."""
    return _activations(_asked(call))


def see_activity(call: OpenCall) -> Activity:
    """Show how many devices are active."""
    return _activity(_asked(call))


def see_daily_activations(call: OpenCall) -> list[dict[str, int]]:
    """Show how many devices were activated on each of the last days."""
    counted, days = _daily(call)
    return [{_name(day): counted.activated(day, day)} for day in days]


def see_daily_totals(call: OpenCall) -> list[dict[str, int]]:
    """Show how many devices had been activated by the end of each of the last days."""
    counted, days = _daily(call)
    return [{_name(day): counted.activated(0, day)} for day in days]


def see_daily_activity(call: OpenCall) -> list[dict[str, int]]:
    """Show how many devices were active on each of the last days."""
    counted, days = _daily(call)
    return [{_name(day): counted.live(day, day)} for day in days]


def see_dates(call: OpenCall) -> list[dict[str, int]]:
    """Show how many devices were activated on each of up to 60 days."""
    query = call.query_as(DatesQuery)
    counted = _asked(call)
    return [
        {_name(day): counted.activated(day, day)} for day in _days(query.start_day, query.end_day)
    ]


def see_places_of_activations(call: OpenCall) -> list[PlaceShare]:
    """Show where the devices are that were activated in the last days."""
    counted, days = _daily(call)
    counts = {name: one.activated(days[0], days[-1]) for name, one in counted.by_country()}
    return _places(call.query_as(PlacesQuery), counts)


def see_places_of_activity(call: OpenCall) -> list[PlaceShare]:
    """Show where the devices are that were active in the last days."""
    counted, days = _daily(call)
    counts = {name: one.live(days[0], days[-1]) for name, one in counted.by_country()}
    return _places(call.query_as(PlacesQuery), counts)


def see_trend(call: OpenCall) -> list[TrendRow]:
    """Show activations and activity by country and day, up to 60 days."""
    try:
        trend = decode_json(Trend, call.query_as(TrendQuery).params.encode())
    except Malformed:
        raise OpenRefused(Code.PARAM_ILLEGAL) from None
    countries = tally(call, trend.pid).by_country()
    return [
        _trend_row(counted, name, day)
        for day in _days(trend.start_day, trend.end_day)
        for name, counted in countries
        if trend.country in ("", name[0])
    ]


def _asked(call: OpenCall) -> Tally:
    query = call.query_as(ProductQuery)
    return tally(call, query.product_id or query.camel_product_id)


def _daily(call: OpenCall) -> tuple[Tally, range]:
    counted, days = _asked(call), _DAYS[call.query_as(DailyQuery).date_type]
    return counted, range(counted.today - days + 1, counted.today + 1)


# --- shapes -------------------------------------------------------------------------------------


def _activations(counted: Tally) -> Activations:
    today, yesterday = (counted.activated(day, day) for day in (counted.today, counted.today - 1))
    return Activations(
        today_active=str(today),
        yesterday_active=str(yesterday),
        all_activate=str(counted.activated(0, counted.today)),
        near7_day_active=str(counted.activated(counted.today - 6, counted.today)),
        last7_day_active=str(counted.activated(counted.today - 13, counted.today - 7)),
        compared_with_yesterday_active=str(today - yesterday),
    )


def _activity(counted: Tally) -> Activity:
    today, yesterday = (counted.live(day, day) for day in (counted.today, counted.today - 1))
    return Activity(
        today_live=str(today),
        yesterday_live=str(yesterday),
        near7_day_live=str(counted.live(counted.today - 6, counted.today)),
        last7_day_live=str(counted.live(counted.today - 13, counted.today - 7)),
        rate_of_today_live=_percent(today, counted.activated(0, counted.today)),
        compared_with_yesterday_live=f"{today / yesterday:.2f}" if yesterday else msgspec.UNSET,
    )


def _registrations(call: OpenCall) -> Registrations:
    days: Counter[int] = Counter()
    for schema in call.caller.project.schemas:
        for uid in call.state.users.registered(call.state.users.app(schema, call.caller.region)):
            user = call.state.users.get(uid)
            assert user is not None, "who is registered is there"
            days[day_of(call.state, user.created_ms)] += 1
    today = day_of(call.state, call.now_ms)
    return Registrations(str(days[today]), str(days[today - 1]), str(days.total()))


def _places(query: PlacesQuery, counts: Mapping[Name, int]) -> list[PlaceShare]:
    total = sum(counts.values())
    by_name = {name[0]: count for name, count in counts.items()}
    places = by_name if query.type == "country" else {UNKNOWN[0]: total}
    ordered = sorted(places.items(), key=lambda line: (-line[1], line[0]))
    return [
        PlaceShare(name, str(count), _percent(count, total))
        for name, count in ordered[: query.limit]
        if count
    ]


def _trend_row(counted: Tally, name: Name, day: int) -> TrendRow:
    return TrendRow(
        activation_num_total=counted.activated(0, day),
        activation_num_today=counted.activated(day, day),
        activation_num_thirty_day=counted.activated(day - 29, day),
        active_num_today=counted.live(day, day),
        active_num_seven_day=counted.live(day - 6, day),
        active_num_fourteen_day=counted.live(day - 13, day),
        country_name=name[1],
        country_name_en=name[0],
        dt=_name(day),
    )


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.2f}%" if total else "0.00%"


def _name(day: int) -> str:
    return date.fromordinal(_EPOCH + day).strftime("%Y%m%d")


def _days(first: str, last: str) -> range:
    """Return the days from one to the other. OpenRefused: 1109 for no dates, 1101 for too many."""
    try:
        start, end = (date.fromisoformat(text).toordinal() - _EPOCH for text in (first, last))
    except ValueError:
        raise OpenRefused(Code.PARAM_ILLEGAL) from None
    if not 0 <= end - start < DAYS_MAX:
        raise OpenRefused(Code.PARAM_RANGE)
    return range(start, end + 1)


_BASE = "/v1.0/devices"

ROUTES = tuple(
    Route("GET", pattern, handler, Family.STATISTICS)
    for pattern, handler in (
        ("/v1.0/statistics-datas-survey", see_survey),
        (f"{_BASE}/datas-survey", see_device_survey),
        (f"{_BASE}/active-datas-survey", see_activations),
        (f"{_BASE}/live-datas-survey", see_activity),
        (f"{_BASE}/active-datas", see_daily_activations),
        (f"{_BASE}/live-datas", see_daily_activity),
        (f"{_BASE}/accumulate-active-datas", see_daily_totals),
        (f"{_BASE}/locations-active-datas", see_places_of_activations),
        ("/v1.1/devices/locations-active-datas", see_places_of_activations),
        (f"{_BASE}/locations-live-datas", see_places_of_activity),
        ("/v1.0/iot-data/devices/activation-total", see_trend),
        ("/v1.0/cloud/analytics/devices/active-datas/date", see_dates),
    )
)
