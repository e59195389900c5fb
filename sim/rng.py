"""One seed, a named stream of luck for each part; integers only, so that platforms agree.

`random.Random(str)` seeds by SHA-512 of the text, whatever the hash seed, and `getrandbits` is all
that is drawn from it; golden values in the tests guard both.
"""

from collections.abc import MutableSequence, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

_BITS = 40  # fixed point: 2**40 is one


def _logarithms() -> tuple[int, ...]:
    """ln(2048 / (1024 + i)) for i in 0…1024, in units of 2**-40.

    ln(x) = 2 artanh((x - 1) / (x + 1)), summed in integers.
    """
    one = 1 << 64
    table = []
    for i in range(1025):
        ratio = (1024 - i) * one // (3072 + i)
        square, power, value, odd = ratio * ratio >> 64, ratio, 0, 1
        while power:
            value += power // odd
            power = power * square >> 64
            odd += 2
        table.append(2 * value >> (64 - _BITS))
    return tuple(table)


_LN = _logarithms()
_LN2 = _LN[0]


class Stream:
    """A source of luck of its own: what others draw does not disturb it."""

    def __init__(self, seed: int, name: str) -> None:
        self._bits = Random(f"{seed}/{name}").getrandbits

    def below(self, limit: int) -> int:
        """An integer from 0 to `limit` - 1, each alike; `limit` at least 1."""
        size = limit.bit_length()
        value = self._bits(size)
        while value >= limit:
            value = self._bits(size)
        return value

    def chance(self, probability: float) -> bool:
        """True with this probability, to 53 bits."""
        return self._bits(53) < int(probability * (1 << 53))

    def exponential_ns(self, mean: int) -> int:
        """Nanoseconds to the next happening of a Poisson process, `mean` on average.

        -ln(u) for u = 2**-k (1/2 + m): k leading zero bits, the rest from the table, interpolated.
        """
        zeros = 0
        while not (word := self._bits(64)):
            zeros += 64
        zeros += 64 - word.bit_length()
        mantissa = self._bits(52)
        index, rest = mantissa >> 42, mantissa & ((1 << 42) - 1)
        value = _LN[index] - ((_LN[index] - _LN[index + 1]) * rest >> 42)
        return mean * (zeros * _LN2 + value) >> _BITS

    def choice(self, items: Sequence[T]) -> T:
        """One of `items`, each alike."""
        return items[self.below(len(items))]

    def shuffle(self, items: MutableSequence[T]) -> None:
        """Put `items` in an order, each order alike."""
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]


def stream(seed: int, name: str, *parts: str) -> Stream:
    """The stream of `name` in a run with `seed`; it is one of ours, `parts` are anybody's names.

    A slash in a part is written otherwise, so that no two give the same text.
    """
    told = (part.replace("%", "%25").replace("/", "%2F") for part in parts)
    return Stream(seed, "/".join((name, *told)))
