"""Was the generator the bottleneck? What is measured of a cloud counts only if it was not.

The devices of a live run share a few event loops, each in a process with its decoders. A loop that
is late adds its delay to every duration, and one that has no time left cannot play more devices,
however quick the cloud is. In virtual time the clock waits for whoever is slow.
"""

from collections.abc import Mapping

import msgspec

from fleet.run.measured import LOOP_LAG_P99_MAX_MS, SHARD_CPU_MAX_PCT

MACHINE_CPU_MAX_PCT = 95.0
"""Of all cores, over the whole run: beyond that cloud and devices take time from each other."""


class Health(msgspec.Struct, frozen=True):
    """`bottleneck` is null where nobody can tell; `sentence` says it, with the reason.

    `cpu_pct_by_shard` is in percent of one core, decoders included, over the whole run;
    `machine_cpu_pct` in percent of all cores.
    """

    bottleneck: bool | None
    sentence: str
    loop_lag_p99_ms: float
    cpu_pct_by_shard: dict[str, float]
    machine_cpu_pct: float | None


def judge(
    *,
    virtual: bool,
    loop_lag_p99_ms: float,
    cpu_s_by_group: Mapping[str, float],
    wall_s: float,
    cores: int,
) -> Health:
    """Return how the generator did. `cpu_s_by_group` is as in `Meter.by_group`."""
    shards = {
        name.partition("/")[2]: round(100 * cpu_s / wall_s, 1)
        for name, cpu_s in sorted(cpu_s_by_group.items())
        if name.startswith("shards/") and wall_s > 0
    }
    if virtual:
        words = "The generator was not the bottleneck: in virtual time the clock waits for it."
        return Health(False, words, 0.0, {}, None)  # noqa: FBT003 - a field, named in the class
    if not shards:
        return Health(None, "Whether the generator was the bottleneck is not known.", 0.0, {}, None)
    machine = round(100 * sum(cpu_s_by_group.values()) / wall_s / max(1, cores), 1)
    busiest = max(shards.values())
    late = f"event loops were at most {loop_lag_p99_ms:.0f} ms late in 99 of 100 looks"
    late += f" (limit {LOOP_LAG_P99_MAX_MS:.0f})"
    busy = f"the busiest shard took {busiest:.0f} % of a core (limit {SHARD_CPU_MAX_PCT:.0f})"
    full = f"all processes took {machine:.0f} % of {cores} cores (limit {MACHINE_CPU_MAX_PCT:.0f})"
    against = [
        words
        for words, wrong in (
            (late, loop_lag_p99_ms > LOOP_LAG_P99_MAX_MS),
            (busy, busiest > SHARD_CPU_MAX_PCT),
            (full, machine > MACHINE_CPU_MAX_PCT),
        )
        if wrong
    ]
    if against:
        words = f"The generator was the bottleneck: {', '.join(against)}. Durations include its own"
        words += " delay; play fewer devices, or use more shards and cores."
    else:
        words = f"The generator was not the bottleneck: {late}, {busy}, {full}."
    return Health(bool(against), words, round(loop_lag_p99_ms, 2), shards, machine)
