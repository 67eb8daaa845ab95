"""What is made of parts of the live state, kept: many views of one document then share the work."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class Remembered(Generic[_Result]):
    """A function of objects that never change, which keeps its last results. Thread safe.

    The objects are known by their identity, as documents are not hashable and to compare them would cost more
    than the function. They are kept as long as the result, so no other object can be taken for them.

    Args:
        function: two threads may call it for the same objects, then either result may be kept.
        size: so many results are kept at least, and at most twice as many.
    """

    def __init__(self, function: Callable[..., _Result], size: int = 512) -> None:
        self._function = function
        self._size = size
        self._recent: dict[Hashable, tuple[tuple[object, ...], _Result]] = {}
        self._older: dict[Hashable, tuple[tuple[object, ...], _Result]] = {}

    def __call__(self, *objects: object) -> _Result:
        """What the function makes of these, now or before."""
        key = tuple(map(id, objects))
        entry = self._recent.get(key)
        if entry is None:
            entry = self._older.get(key) or (objects, self._function(*objects))
            if len(self._recent) >= self._size:
                self._recent, self._older = {}, self._recent
            self._recent[key] = entry
        return entry[1]
