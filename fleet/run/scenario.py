"""A scenario: what a run plays, read from TOML and checked before anything starts.

Whoever writes a scenario gets one line per mistake: file, key, what is wrong, what is allowed.
The keys are explained in the README of this folder.
"""

import tomllib
from importlib import resources
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from firmware_sim.errors import UsageError
from firmware_sim.schema import explain
from firmware_sim.wire.lan_version import LanVersion
from fleet.run.faults import CLOUD_DOWN, FaultTable, mistake
from fleet.run.metrics import METRICS
from fleet.run.reasons import Attack, Failure, Refusal
from fleet.run.thresholds import read as read_thresholds

BUILT_IN = "batch-unbind"
FAULTS_MAX = 64

Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Positive = Annotated[int, Meta(ge=1, le=1_000_000)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Text = Annotated[str, Meta(min_length=1, max_length=64)]
Ssid = Annotated[str, Meta(min_length=1, max_length=32)]
Role = Literal["owner", "partner", "after_sale"]
Start = Literal["homes", "shelf"]
SHELF: Final = "shelf"
TICKETS_MAX = 1_000_000


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file: an unknown key is a mistake, most often of spelling."""


class Product(_Strict, frozen=True):
    """Devices of one model and product; `share` of them at the scenario's own size."""

    name: Text
    profile: str
    share: Positive


class Operator(_Strict, frozen=True):
    """An after-sales account; `share` of the devices are handed to it first."""

    name: Text
    role: Role
    share: Positive


class Warehouse(_Strict, frozen=True):
    """The Wi-Fi at which devices are unbound; association takes `join_ms`."""

    ssid: Ssid = "warehouse"
    password: Annotated[str, Meta(min_length=8, max_length=63)] = "warehouse"  # noqa: S105
    join_ms: Annotated[int, Meta(ge=0, le=60_000)] = 300

    def __repr__(self) -> str:
        """Show the network, never the password."""
        return f"Warehouse(ssid={self.ssid!r}, password=***, join_ms={self.join_ms})"


class Home(_Strict, frozen=True):
    """The Wi-Fi of the owners: one network each, association takes `join_ms`."""

    join_ms: Annotated[int, Meta(ge=0, le=60_000)] = 300


def _warehouse_mix() -> dict[LanVersion, int]:
    return {LanVersion.V31: 3, LanVersion.V33: 40, LanVersion.V34: 25, LanVersion.V35: 32}


class Lan(_Strict, frozen=True):
    """What the devices speak on the LAN: shares of the protocol versions, of any sum."""

    versions: Annotated[dict[LanVersion, Positive], Meta(min_length=1)] = msgspec.field(
        default_factory=_warehouse_mix
    )


class QuotaLimits(_Strict, frozen=True):
    """Devices per day that one account, and that all accounts of one product, may unbind.

    The day turns `midnight_in_min` after the start, to the whole minute; 0: it is about noon then.
    In virtual time the run begins when that is so in `zone`, an offset to UTC such as "+14:00".
    """

    account: Positive = 100
    product: Positive = 100
    midnight_in_min: Annotated[int, Meta(ge=0, le=1440)] = 0
    zone: Annotated[str, Meta(pattern=r"^([+-](0\d|1[0-3]):[0-5]\d|[+-]14:00)?\Z")] = ""


class Campaign(_Strict, frozen=True):
    """How many days of the quota there are for the work; devices arrive on the first of them.

    On each day but the first, operators come `come_every_s` one after the other. Where it `shrinks`,
    a smaller fleet has proportionally fewer days, and as much to do on each.
    """

    days: Annotated[int, Meta(ge=1, le=365)] = 1
    arrive_days: Annotated[int, Meta(ge=1, le=365)] = 1
    come_every_s: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    shrinks: bool = False

    def of_size(self, size: float) -> "Campaign":
        """Return the campaign of a fleet of `size`, as a part of the scenario's own."""
        if not self.shrinks or size >= 1:
            return self
        return msgspec.structs.replace(
            self, days=ceil(self.days * size), arrive_days=ceil(self.arrive_days * size)
        )


class Tampered(_Strict, frozen=True):
    """How many devices have firmware that tries to free itself, and how many tokens each guesses."""

    devices: Count = 0
    guesses: Annotated[int, Meta(ge=1, le=1000)] = 20


class Trouble(_Strict, frozen=True):
    """How many devices get into which trouble on purpose."""

    token_full: Count = 0
    token_dead: Count = 0
    no_permission: Count = 0
    wifi_password: Count = 0
    already_bound: Count = 0


class Expect(_Strict, frozen=True):
    """What has to come out; refusals and failures are minima, unlisted reasons must not occur.

    `recovered_s` is how long after each outage of the cloud all devices are online, for good; 0:
    nothing is expected. Devices are unbound on at least so many `days`, with so many tickets.
    `attacks` are minima of how often tampered firmware was refused, by what it tried.
    """

    unbound_pct: Percent = 100
    rebound_pct: Percent = 100
    recovered_s: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    days: Annotated[int, Meta(ge=0, le=365)] = 0
    tickets_min: Annotated[int, Meta(ge=0, le=TICKETS_MAX)] = 0
    tickets_max: Annotated[int, Meta(ge=0, le=TICKETS_MAX)] = TICKETS_MAX
    refused: dict[Refusal, Count] = {}
    failed: dict[Failure, Count] = {}
    attacks: dict[Attack, Count] = {}


class Scenario(_Strict, frozen=True):
    """A whole file."""

    name: Annotated[str, Meta(pattern="^[a-z0-9-]{1,40}$")]
    title: Annotated[str, Meta(max_length=200)]
    devices: Positive
    products: Annotated[tuple[Product, ...], Meta(min_length=1, max_length=64)]
    operators: Annotated[tuple[Operator, ...], Meta(max_length=64)] = ()
    warehouse: Warehouse = Warehouse()
    home: Home = Home()
    lan: Lan = Lan()
    start: Start = "homes"
    unbind: bool = True
    stay_s: Annotated[float, Meta(ge=0, le=24 * 3600)] = 0.0
    rebind_every: Count = 0
    batch_max: Annotated[int, Meta(ge=1, le=30)] = 30
    patience_s: Annotated[int, Meta(ge=1, le=3600)] = 60
    tries_max: Annotated[int, Meta(ge=1, le=100)] = 8
    quotas: QuotaLimits = QuotaLimits()
    campaign: Campaign = Campaign()
    trouble: Trouble = Trouble()
    tampered: Tampered = Tampered()
    faults: Annotated[tuple[FaultTable, ...], Meta(max_length=FAULTS_MAX)] = ()
    expect: Expect = Expect()
    thresholds: dict[str, Any] = {}


def load_scenario(name_or_path: str = BUILT_IN) -> Scenario:
    """Read a built-in scenario by name, or a file by path (anything with a dot or a slash).

    Raises UsageError: no such file, not TOML, or a key that is wrong.
    """
    label, text = _read(name_or_path)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{label}: not a TOML file: {error}") from error
    try:
        scenario = msgspec.convert(raw, Scenario)
    except msgspec.ValidationError as error:
        raise UsageError(f"{label}: {explain(error, Scenario)}") from error
    if (fault := inconsistency(scenario)) is not None:
        raise UsageError(f"{label}: {fault}")
    return _resolve_profiles(scenario, name_or_path)


def with_outages(scenario: Scenario, for_s: float | None) -> Scenario:
    """Return the scenario with outages of the cloud that last so long; None: as they are.

    Raises UsageError when it has none, or when they cannot last so long.
    """
    if for_s is None:
        return scenario
    changed = tuple(
        msgspec.structs.replace(table, for_s=for_s, shrinks=False)
        if table.kind == CLOUD_DOWN
        else table
        for table in scenario.faults
    )
    if not any(table.kind == CLOUD_DOWN for table in changed):
        raise UsageError(f"--outage-s: scenario {scenario.name!r} has no fault cloud_down")
    shelf = scenario.start == SHELF
    if (fault := mistake(changed, unbind=scenario.unbind, shelf=shelf)) is not None:
        raise UsageError(f"--outage-s {for_s:g}: {fault}")
    return msgspec.structs.replace(scenario, faults=changed)


def built_in_names() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the program."""
    folder = resources.files("fleet.run") / "scenarios"
    return tuple(sorted(Path(file.name).stem for file in folder.iterdir()))


def _is_path(name_or_path: str) -> bool:
    return "/" in name_or_path or "." in name_or_path


def _read(name_or_path: str) -> tuple[str, str]:
    """Return how to call the file in messages, and its text."""
    if not _is_path(name_or_path):
        if name_or_path not in built_in_names():
            allowed = ", ".join(built_in_names())
            raise UsageError(
                f"no scenario {name_or_path!r}; built in: {allowed}; or give the path of a .toml"
            )
        file = resources.files("fleet.run") / "scenarios" / f"{name_or_path}.toml"
        return f"{name_or_path}.toml", file.read_text(encoding="utf-8")
    try:
        return name_or_path, Path(name_or_path).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{name_or_path}: cannot read the scenario: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name_or_path}: not UTF-8 text (byte {error.start})") from error


def inconsistency(scenario: Scenario) -> str | None:
    """Return what is wrong with a scenario that no single key shows, None if nothing is."""
    for key, names in (
        ("products", [product.name for product in scenario.products]),
        ("operators", [operator.name for operator in scenario.operators]),
    ):
        if twice := next((name for name in names if names.count(name) > 1), None):
            return f"{key}: the name {twice!r} occurs twice, each must be given once"
    if sum(1 for operator in scenario.operators if operator.role == "owner") > 1:
        return "operators: more than one has the role 'owner', at most one is allowed"
    if scenario.devices < len(scenario.products):
        return f"devices: {scenario.devices} is less than one per product, at least " + str(
            len(scenario.products)
        )
    if scenario.trouble.already_bound and not scenario.rebind_every:
        return "trouble.already_bound: needs new owners, rebind_every is 0; allowed: 0"
    if len(scenario.warehouse.ssid.encode()) > 32:
        return "warehouse.ssid: longer than 32 bytes of UTF-8, at most 32 are allowed"
    return (
        _purpose(scenario)
        or _days(scenario)
        or _thresholds(scenario)
        or mistake(scenario.faults, unbind=scenario.unbind, shelf=scenario.start == SHELF)
    )


def _purpose(scenario: Scenario) -> str | None:
    """Return what does not go together with unbinding, or with leaving it out."""
    if scenario.unbind:
        if not scenario.operators:
            return "operators: nobody is there to unbind; allowed: from 1, or unbind = false"
        if scenario.stay_s:
            return "stay_s: devices that are unbound do not stay; allowed: 0, or unbind = false"
    else:
        for key, wanted in (
            ("rebind_every", scenario.rebind_every),
            ("trouble", scenario.trouble != Trouble()),
            ("operators", scenario.operators),
            ("start", scenario.start == SHELF),
            ("tampered", scenario.tampered.devices),
            ("campaign", scenario.campaign != Campaign()),
        ):
            if wanted:
                return f"{key}: nothing is unbound (unbind = false); leave it out"
    outage = any(table.kind == CLOUD_DOWN for table in scenario.faults)
    if scenario.expect.recovered_s and (scenario.unbind or not outage):
        return "expect.recovered_s: takes a fault cloud_down and unbind = false; allowed: 0"
    return None


def _days(scenario: Scenario) -> str | None:
    """Return what is wrong with the days of the campaign, or with where it begins."""
    campaign, shelf = scenario.campaign, scenario.start == SHELF
    if campaign.arrive_days > campaign.days:
        return f"campaign.arrive_days: {campaign.arrive_days} is more than there are; at most days"
    if campaign.arrive_days > 1 and not shelf:
        return 'campaign.arrive_days: homes are emptied at once; allowed: 1, or start = "shelf"'
    if scenario.trouble != Trouble() and shelf:
        return 'trouble: nobody has switched the devices on; leave it out, or start = "homes"'
    if scenario.quotas.zone and not scenario.quotas.midnight_in_min:
        return "quotas.zone: means nothing without midnight_in_min; leave it out"
    return None


def _thresholds(scenario: Scenario) -> str | None:
    """Return what is wrong with the conditions on figures."""
    try:
        read_thresholds(scenario.thresholds, METRICS)
    except ValueError as error:
        return str(error)
    return None


def _resolve_profiles(scenario: Scenario, name_or_path: str) -> Scenario:
    """Make paths of profiles, which are relative to the scenario's file, independent of it."""
    if not _is_path(name_or_path):
        return scenario
    folder = Path(name_or_path).resolve().parent
    products = tuple(
        msgspec.structs.replace(product, profile=str(folder / product.profile))
        if _is_path(product.profile)
        else product
        for product in scenario.products
    )
    return msgspec.structs.replace(scenario, products=products)
