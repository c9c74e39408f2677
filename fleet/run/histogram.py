"""A histogram of durations with logarithmic buckets: small, mergeable, at most 1 % wrong.

Each bucket is 2 % wider than the one before it, so its middle is never more than 1 % from any
value in it. Histograms of many shards are merged by adding the counts; the largest value is kept
exactly, and no percentile ever exceeds it.
"""

import math

import msgspec

GROWTH = 1.02
_LOG_GROWTH = math.log(GROWTH)
BUCKETS_MAX = 1 + math.ceil(math.log(24 * 3600 * 1000) / _LOG_GROWTH)  # up to a day


class Histogram(msgspec.Struct):
    """Counts by bucket number. Bucket 0 holds everything up to 1 ms."""

    buckets: dict[int, int] = {}
    count: int = 0
    max_ms: float = 0.0

    def record(self, value_ms: float) -> None:
        """Count one duration; a negative one (a clock that was set back) counts as 0."""
        bucket = 0
        if value_ms > 1:
            bucket = min(math.ceil(math.log(value_ms) / _LOG_GROWTH), BUCKETS_MAX)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.count += 1
        if value_ms > self.max_ms:
            self.max_ms = value_ms

    def merge(self, other: "Histogram") -> None:
        """Add everything that `other` counted."""
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        self.count += other.count
        self.max_ms = max(self.max_ms, other.max_ms)

    def percentile(self, percent: float) -> float:
        """Return the duration (ms) that `percent` of all do not exceed; 0 when there are none."""
        if not self.count:
            return 0.0
        rank = max(1, math.ceil(self.count * percent / 100))
        if rank == self.count:
            return self.max_ms
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= rank:
                return min(self.max_ms, _middle_ms(bucket))
        raise AssertionError("the counts of the buckets do not add up to the count of all")


def _middle_ms(bucket: int) -> float:
    """Return the value whose relative distance to both ends of the bucket is the same."""
    if bucket == 0:
        return 1.0
    return float(2 * GROWTH**bucket / (1 + GROWTH))
