"""Properties that are worked out when they are first asked for, once for all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from diffdope.render.per_process import PerProcess

T = TypeVar("T")


class Maker:
    """What owns properties that are made once: the first thread that asks makes one, and the others wait for it."""

    def __init__(self) -> None:
        self.making = PerProcess(threading.RLock)
        """Held while something is made; what is made may ask for something else."""
        self.made: dict[str, Any] = {}
        """By the names of the properties."""


Owner = TypeVar("Owner", bound=Maker)


class MadeOnce(Generic[Owner, T]):
    """Decorates a method of a `Maker` that makes the property's value."""

    def __init__(self, make: Callable[[Owner], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owner: None, kind: type) -> MadeOnce[Owner, T]: ...

    @overload
    def __get__(self, owner: Owner, kind: type) -> T: ...

    def __get__(self, owner: Owner | None, kind: type) -> T | MadeOnce[Owner, T]:
        if owner is None:
            return self
        with owner.making.get():
            if self._name not in owner.made:
                owner.made[self._name] = self._make(owner)
            value: T = owner.made[self._name]
            return value
