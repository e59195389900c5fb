"""Luck that only a seed decides: transaction ids, and the spreads that RFCs ask for."""

_MASK = (1 << 64) - 1


class Rand:
    """SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed, everywhere.

    `whose`, a MAC for one, keeps those apart who share a seed.
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int, whose: bytes = b"") -> None:
        self._state = (seed ^ int.from_bytes(whose)) & _MASK

    def below(self, n: int) -> int:
        """A number from 0 to `n` - 1, for `n` from 1 to 2**64."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        value = self._state
        value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & _MASK
        value = ((value ^ value >> 27) * 0x94D049BB133111EB) & _MASK
        return ((value ^ value >> 31) * n) >> 64
