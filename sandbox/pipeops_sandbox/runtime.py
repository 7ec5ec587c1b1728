"""What every overlay shares: the clock and the sandbox's own state, by service, account and region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from .clock import Clock

T = TypeVar("T")


class Runtime:
    """The process-wide context. Everything in ``stores`` is pickled with the sandbox's state."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.stores: dict[tuple[str, str, str], Any] = {}

    def store(self, service: str, account: str, region: str, factory: Callable[[], T]) -> T:
        """Return the state object of a service in one account and region, made on first use."""
        key = (service, account, region)
        if key not in self.stores:
            self.stores[key] = factory()
        return cast(T, self.stores[key])

    def reset(self) -> None:
        """Forget all of it; the clock's profile stays."""
        self.stores.clear()


runtime = Runtime()
