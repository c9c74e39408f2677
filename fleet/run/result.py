"""What a run has come to, measured and judged; `fleet.report` turns it into files and tables."""

import msgspec

from fleet.run.expectations import Outcomes
from fleet.run.histogram import Histogram


class Generator(msgspec.Struct, frozen=True):
    """Whether the simulated devices, and not what they talk to, were the bottleneck.

    `loop_lag_p99_ms` over all shards' event loops; `cpu_pct` is the share of one core that the
    shards and their decoders used, over the whole run, per shard.
    """

    loop_lag_p99_ms: float
    cpu_pct: float


class RunResult(msgspec.Struct, frozen=True):
    """Everything about one run. `aborted` says why it ended early, "" if it did not."""

    scenario: str
    seed: int
    devices: int
    decoder: str
    shards: int
    wall_s: float
    cpu_s: dict[str, float]  # by kind of process: runner, cloud, shards
    peak_rss_bytes: int
    outcomes: Outcomes
    phases: dict[str, Histogram]
    by_method: dict[str, int]
    generator: Generator
    violations: tuple[str, ...]
    unmet: tuple[str, ...]
    left_out: tuple[str, ...]
    incidents: tuple[str, ...]
    tickets: int
    frames: int
    decoded: int
    aborted: str = ""

    @property
    def passed(self) -> bool:
        """Say whether nothing is violated, every expectation met and the run complete."""
        return not (self.violations or self.unmet or self.aborted)
