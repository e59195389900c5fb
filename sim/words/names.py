"""Names as the product compares them: capitals are no difference. Str.c:StrCmpi."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class Named(Mapping[str, T]):
    """Things by name; of several with one name it is the first."""

    def __init__(self, things: Iterable[tuple[str, T]]) -> None:
        self._things: dict[bytes, tuple[str, T]] = {}
        for name, thing in things:
            self._things.setdefault(folded(name), (name, thing))

    def __getitem__(self, name: str) -> T:
        return self._things[folded(name)][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._things.values())

    def __len__(self) -> int:
        return len(self._things)

    def spelled(self, name: str) -> str:
        """The name as it was given. KeyError without it."""
        return self._things[folded(name)][0]


def folded(name: str) -> bytes:
    """The same for names that are one to the product, which knows the capitals of ASCII only."""
    return name.encode(errors="surrogatepass").upper()
