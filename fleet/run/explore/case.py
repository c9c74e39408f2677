"""A case: everything that a run in virtual time is a function of, apart from the program itself.

A seed gives a case (`draw.py`), a case can be written to a file and read again, and what shrinking
does is to replace a case by a smaller one. Faults are the tables of its scenario.
"""

from contextlib import suppress
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from firmware_sim.device.profile import Profile
from firmware_sim.errors import UsageError
from firmware_sim.schema import explain
from fleet.cloud.settings import Settings
from fleet.run.population import VIRTUAL_DEVICES_MAX, Population, populate
from fleet.run.scenario import Scenario

Millis = Annotated[int, Meta(ge=0, le=60_000)]
Options = dict[str, str | int | bool]
S = TypeVar("S", bound=msgspec.Struct)


class Conditions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the world is like: each way takes `trip_ms` and up to `jitter_ms` more.

    A transaction of the cloud takes `write_ms`: the longer, the more often a crash comes between
    a decision and the word about it.
    """

    trip_ms: Millis = 10
    jitter_ms: Millis = 10
    write_ms: Millis = 3


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run. `limit_s` is how long it may take in virtual time: it has to end by itself.

    `firmware` are options of the firmware of all models that can have them, `cloud` settings of the
    cloud, in which this run differs from what models and cloud have of their own.
    `fair`: there are no random faults, so all expectations of the scenario have to be met.
    """

    scenario: Scenario
    devices: Annotated[int, Meta(ge=1, le=VIRTUAL_DEVICES_MAX)]
    seed: Annotated[int, Meta(ge=0)]
    conditions: Conditions = Conditions()
    firmware: Options = {}
    cloud: Options = {}
    limit_s: Annotated[int, Meta(ge=1)] = 24 * 3600
    fair: bool = False

    def population(self) -> Population:
        """Return who and what takes part. Raises UsageError for a case that cannot be."""
        self.settings(Settings())  # whose mistakes are to be told as early
        usual = populate(self.scenario, self.devices, self.seed, VIRTUAL_DEVICES_MAX)
        profiles = {name: self._profile(one) for name, one in usual.profiles.items()}
        return msgspec.structs.replace(usual, profiles=profiles)

    def _profile(self, profile: Profile) -> Profile:
        """Return a model with the case's firmware; an option that it cannot have stays its own."""
        for name, value in self.firmware.items():
            firmware = _differing(profile.firmware, {name: value}, "firmware")
            with suppress(ValueError):
                profile = msgspec.structs.replace(profile, firmware=firmware)
        return profile

    def settings(self, usual: Settings) -> Settings:
        """Return the settings of the cloud. Raises UsageError for some that cannot be."""
        return _differing(usual, self.cloud, "cloud")

    def replace(self, **changes: object) -> "Case":
        """Return a case in which some fields, of its own or of its scenario, are others."""
        own = {name: changes[name] for name in changes if name in _OWN}
        others = {name: changes[name] for name in changes if name not in _OWN}
        if others:
            own["scenario"] = msgspec.structs.replace(self.scenario, **others)
        return msgspec.structs.replace(self, **own)


def _differing(usual: S, options: Options, key: str) -> S:
    """Return a struct in which some fields are others; they are checked as those of a file are."""
    if not options:
        return usual
    raw: dict[str, Any] = msgspec.to_builtins(usual)
    for name in options:
        if name not in raw:
            raise UsageError(f"{key}: there is no option {name!r}; allowed: {', '.join(raw)}")
    try:
        return msgspec.convert(raw | options, type(usual))
    except msgspec.ValidationError as error:
        raise UsageError(f"{key}: {explain(error, type(usual))}") from error


_OWN = frozenset(field.name for field in msgspec.structs.fields(Case))
