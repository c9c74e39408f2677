"""What each key of `report.json` means: a table, from which the README's is made.

Keys, their order and their nesting are read from the structs, so none can be missing here.
"""

from collections.abc import Iterator

from msgspec import inspect

from fleet.report.model import Report

MEANINGS = {
    "Report.scenario": "name of what was played",
    "Report.seed": "with the commit, it says what was left to chance",
    "Report.mode": "`live`: real sockets; `virtual`: in virtual time",
    "Report.devices": "how many took part",
    "Report.wall_s": "how long it took",
    "Report.cpu_s": "CPU time of all processes together",
    "Report.peak_rss_mb": "resident memory of all processes, added up, in MiB; pages they share count once for each",
    "Outcomes.unbound": "devices",
    "Outcomes.rebound": "devices bound to a new owner",
    "Outcomes.refused": "refusals by the cloud, by reason, as in its history; most are followed by success",
    "Outcomes.failed": "failures before the cloud was asked, by reason; `not_unbound`, `not_rebound`: devices left behind",
    "Report.phases": "durations by phase; from where to where: `fleet/run/phases.py`",
    "Phase.count": "devices that have completed it",
    "Phase.p50_ms": "percentiles are at most 1 % off and never above the maximum, which is exact",
    "Phase.p90_ms": "90 % took at most so long",
    "Phase.p95_ms": "95 %",
    "Phase.p99_ms": "99 %",
    "Phase.max_ms": "all",
    "Phase.p999_ms": "99.9 %",
    "Report.by_method": "devices unbound by `qr` and `wired`",
    "Generator.loop_lag_p99_ms": "how late the shards' event loops were",
    "Generator.cpu_pct": "of one core, per shard with its decoders",
    "Report.violations": "one line per violated invariant; empty is good",
    "Report.passed": "nothing violated, every expectation and threshold met, the run complete",
    "Report.aborted": "why it ended early, empty if it did not",
    "Report.unmet": "expectations that were not met, in words",
    "Report.left_out": "expectations that so few devices cannot meet, faults that no live run can play",
    "Report.incidents": "processes that died and came back",
    "Report.decoder": "what has read QR codes",
    "Report.shards": "processes that devices shared",
    "Report.cpu_s_by_process": "CPU time of `runner`, `cloud`, `shards`",
    "Report.tickets": "tickets filed for more quota",
    "Report.frames": "frames that lenses have made",
    "Report.frames_decoded": "frames that went through a decoder",
    "Recovery.at_s": "when the outage began, since the run did",
    "Recovery.down_s": "how long the cloud was away",
    "Recovery.devices": "that had been online",
    "Recovery.back_50_s": "until half were online again for good; null: never",
    "Recovery.back_95_s": "until 95 % were",
    "Recovery.back_100_s": "until all were",
    "Recovery.lost_again": "sessions that did not last",
    "Recovery.connects_while_down": "attempts per device while the cloud was away",
    "Recovery.connects_after": "attempts per device after its return",
    "Recovery.connects_after_max": "of the most eager device",
    "Recovery.cloud_cpu_s": "CPU time of the cloud until all were back",
    "Recovery.cloud_cpu_pct": "the same in percent of one core",
    "Traffic.calls_per_device": "calls over HTTP",
    "Traffic.calls_max": "of the most eager device",
    "Traffic.connects_per_device": "connections to the broker",
    "Traffic.connects_max": "of the most eager device",
    "Retry.reason": "what failed, and why",
    "Retry.attempts": "how often",
    "Retry.devices": "on how many devices",
    "Retry.per_device_min_max": "the most that one device tried within a minute",
    "Retry.cloud_cpu_pct": "share of the cloud's CPU time, estimated by requests",
    "Fault.kind": "as in the scenario",
    "Fault.during": "the phase with which it begins",
    "Fault.struck": "how often it has struck a device",
    "Fault.states": "the same by the state of the device",
    "Report.trace_digest": "in virtual time: the same seed gives the same one on any machine",
    "Report.virtual_s": "how long it lasted in virtual time",
    "Report.speedup": "virtual time per real time",
    "Report.unbound_by_day": "devices by the day of the quota (ISO date)",
    "Report.attacks": "what tampered firmware tried in vain, by name",
    "Report.title": "the scenario's",
    "Report.for_sale": "devices that were to find a new owner",
    "Report.phases_by_method": "`phases` once more, by method of unbinding: `qr`, `wired`",
    "ThresholdVerdict.metric": "a figure by name, see below",
    "ThresholdVerdict.condition": "as in the scenario",
    "ThresholdVerdict.value": "the figure; null: there is none",
    "ThresholdVerdict.passed": "null: this kind of run has no such figure, or it ended early",
    "ThresholdVerdict.note": "why there is no figure",
    "Expectation.name": "as the lines of `unmet` begin; `reasons`: nothing may occur that is not listed",
    "Expectation.wanted": "in words",
    "Expectation.met": "null: this run could not show it",
    "Expectation.told": "what was found instead",
    "Report.checked": "names of the invariants that were checked",
    "Health.bottleneck": "whether the generator was the bottleneck; null: nobody knows",
    "Health.sentence": "the same in words, with the reason",
    "Health.loop_lag_p99_ms": "as in `generator`",
    "Health.cpu_pct_by_shard": "of one core, with its decoders, over the whole run",
    "Health.machine_cpu_pct": "of all cores, by all processes",
    "QuotaUse.scope": "`account` or `product`",
    "QuotaUse.name": "of the account or product",
    "QuotaUse.day": "ISO date",
    "QuotaUse.used": "devices unbound",
    "QuotaUse.limit": "devices that may be, at the end of the run",
    "OverTime.slot_s": "width of a slot; all columns have one value per slot",
    "OverTime.end_s": "when the last one ends, which may be earlier than its width says",
    "OverTime.at_s": "when each slot begins",
    "OverTime.unbound": "devices unbound within the slot; the sum is that of the run",
    "OverTime.rebound": "devices bound anew within the slot",
    "OverTime.refused": "refusals within the slot, by reason, as in `outcomes`",
    "OverTime.attempts": "attempts of devices that failed, by kind, as in `retries`",
    "OverTime.states": "states that devices have entered",
    "OverTime.lights": "devices by light, at the end of the slot",
    "OverTime.cpu_pct": "of one core, by process; live only",
    "OverTime.loop_lag_p99_ms": "of all shards; live only",
    "OverTime.phases": "by phase and method: `count`, percentiles and `max_ms` of what ended in the slot; null: nothing did",
    "Lights.tracked": "devices that were followed, at most 2,000",
    "Lights.every": "every so manieth device was",
    "Lights.patterns": "how each light of each model moves: `mode`, `colours`, `on_ms`, `off_ms`, `words`",
    "DeviceLights.device": "number of the device in the run",
    "DeviceLights.uuid": "as on its label",
    "DeviceLights.product": "name of its product",
    "DeviceLights.profile": "its model",
    "DeviceLights.why": "`failed`: had trouble; `slow`: among the slowest; `typical`: like most",
    "DeviceLights.took_s": "from its first token to the light `unbound`; where nothing is unbound, how long it was not online",
    "DeviceLights.cut": "there were more changes than are kept",
    "DeviceLights.changes": "pairs of the second at which a light began, and its name",
    "Report.scenario_text": "what was played, as TOML; passwords are stars",
    "Environment.written_at": "when the report was written, UTC",
    "Environment.program": "version and commit; a plus: with local changes",
    "Environment.python": "version of Python",
    "Environment.system": "operating system",
    "Environment.processor": "its name",
    "Environment.cores": "how many this process may use",
    "Environment.memory_mb": "of the machine, MiB",
    "Environment.libraries": "versions of those that matter",
}

_AS_ONE = ("OverTime.phases", "Lights.patterns", "Report.phases_by_method")
"""Keys whose insides are explained where they are, in one sentence."""


def listing() -> Iterator[tuple[str, str]]:
    """Return all keys in the order of the file, each with its meaning."""
    kind = inspect.type_info(Report)
    assert isinstance(kind, inspect.StructType), "a report is a struct"
    yield from _struct(kind, "")


def _struct(kind: inspect.StructType, prefix: str) -> Iterator[tuple[str, str]]:
    for field in kind.fields:
        name = f"{kind.cls.__name__}.{field.name}"
        inner, path = _inside(field.type, f"{prefix}{field.encode_name}")
        if inner is None or name in _AS_ONE:
            yield f"{prefix}{field.encode_name}", MEANINGS[name]
            continue
        if name in MEANINGS:
            yield f"{prefix}{field.encode_name}", MEANINGS[name]
        yield from _struct(inner, f"{path}.")


def _inside(kind: inspect.Type, path: str) -> tuple[inspect.StructType | None, str]:
    """Return the struct in a field, through lists, tables and null, and how to get there."""
    if isinstance(kind, inspect.StructType):
        return kind, path
    if isinstance(kind, inspect.UnionType):
        found = (_inside(one, path) for one in kind.types)
        return next((one for one in found if one[0] is not None), (None, path))
    if isinstance(kind, inspect.VarTupleType):
        return _inside(kind.item_type, f"{path}[]")
    if isinstance(kind, inspect.DictType):
        return _inside(kind.value_type, f"{path}.*")
    return None, path
