"""A list that is in order whenever somebody looks, and is not sorted for each item that comes.

To put an item into its place moves all that stand behind it: whoever takes in a million, in no order,
would do little else. What was added since the last look is put in order at the next one; timsort
takes what is in order as it is. (Why it does: Tim Peters, `Objects/listsort.txt` of CPython.)
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

Item = TypeVar("Item", bound=Any)  # whatever can be compared with its like


class Ordered(Generic[Item]):
    """Items that are all different, smallest first."""

    __slots__ = ("_in_order", "_items")

    def __init__(self, items: Iterable[Item] = ()) -> None:
        """Begin with some, in any order."""
        self._items: list[Item] = sorted(items)
        self._in_order = True

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._items)

    @property
    def items(self) -> list[Item]:
        """Return all of them in order; the list is to be looked at only."""
        if not self._in_order:
            self._items.sort()
            self._in_order = True
        return self._items

    def add(self, item: Item) -> None:
        """Add one that is not there."""
        items = self._items
        if self._in_order and items and item < items[-1]:
            self._in_order = False
        items.append(item)

    def remove(self, item: Item) -> None:
        """Remove one that is there."""
        items = self.items
        place = bisect_left(items, item)
        assert items[place] == item, "what is removed is there"
        del items[place]
