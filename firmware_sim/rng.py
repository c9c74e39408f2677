"""An 8-byte counter generator: the only source of chance for a node.

SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). A node
owns one integer of state, so a hundred thousand devices cost 8 bytes each instead of the 2.5 KB
of `random.Random`, and one seed reproduces every choice. Never use it to make a real secret.
"""

from functools import cache

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15


def mix(value: int) -> int:
    """Scramble a 64-bit integer; distinct inputs give distinct outputs."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


def derive(seed: int, *path: int) -> int:
    """Return the seed of a child named by integers, e.g. `derive(seed, device_index)`."""
    for step in path:
        seed = mix((seed + _GAMMA * (step + 1)) & _MASK)
    return seed & _MASK


class Rng:
    """A stream of pseudo-random numbers that depends on nothing but its seed."""

    __slots__ = ("state",)

    def __init__(self, seed: int) -> None:
        """Start the stream of `seed` (any integer; the lowest 64 bits count)."""
        self.state = seed & _MASK

    def next_u64(self) -> int:
        """Return the next integer in 0 .. 2**64-1."""
        self.state = value = (self.state + _GAMMA) & _MASK
        # What `mix` does: a call would cost more than that.
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
        return value ^ (value >> 31)

    def below(self, limit: int) -> int:
        """Return an integer in 0 .. limit-1 (limit > 0); the bias is below limit / 2**64."""
        return self.next_u64() % limit

    def between(self, low: float, high: float) -> float:
        """Return a float in low .. high."""
        return low + (high - low) * (self.next_u64() >> 11) / (1 << 53)

    def bytes(self, count: int) -> bytes:
        """Return `count` pseudo-random bytes."""
        words = -(-count // 8)
        number = 0
        for _ in range(words):
            number = number << 64 | self.next_u64()
        drawn = number.to_bytes(8 * words, "big")
        return drawn if len(drawn) == count else drawn[:count]

    def text(self, count: int, alphabet: str) -> str:
        """Return `count` characters drawn from `alphabet`, which has at most 256.

        Some are likelier than others by one in 256 / len(alphabet), which no simulation minds.
        """
        return self.bytes(count).decode("latin-1").translate(_letters(alphabet))


@cache
def _letters(alphabet: str) -> str:
    """Return which character each byte stands for."""
    return "".join(alphabet[byte % len(alphabet)] for byte in range(256))
