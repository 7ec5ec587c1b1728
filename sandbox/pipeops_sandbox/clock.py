"""Model time: how long things take, and how fast that time passes.

Every life cycle in the sandbox is a function of model time, computed when somebody looks,
so there is no background thread to race with and nothing to lose in a restart.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import yaml

PROFILES = ("instant", "aws")
HISTORY = 10_000
"""Changes of the clock that are remembered."""


def load_durations() -> dict[str, float]:
    """Return the typical seconds of each step, from ``data/durations.yml``."""
    text = resources.files(__package__).joinpath("data/durations.yml").read_text("utf-8")
    rows: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return {step: float(row["seconds"]) for step, row in rows.items()}


class Clock:
    """The sandbox's clock.

    ``instant``: every step takes no time. ``aws``: a step takes what ``data/durations.yml`` says,
    in model seconds; ``scale`` model seconds pass in each real second.
    """

    def __init__(self, profile: str = "instant", scale: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._durations = load_durations()
        self._model_base = self._real_base = time.time()
        self.profile = profile
        self.scale = scale
        self.history: list[tuple[float, float, float]] = []
        self.set(profile, scale)

    def set(self, profile: str | None = None, scale: float | None = None) -> None:
        """Change the profile or the scale from now on; the model time goes on without a jump.

        Raises:
            ValueError: for an unknown profile, or a scale that is not above zero.
        """
        if profile is not None and profile not in PROFILES:
            raise ValueError(f"profile is {profile!r}, must be one of {', '.join(PROFILES)}")
        if scale is not None and not scale > 0:
            raise ValueError(f"scale is {scale!r}, must be a number above 0")
        with self._lock:
            self._model_base = self._now()
            self._real_base = time.time()
            self.profile = profile or self.profile
            self.scale = scale if scale is not None else self.scale
            self._note()

    def now(self) -> float:
        """Return the model time, in seconds since 1970."""
        with self._lock:
            return self._now()

    def _now(self) -> float:
        return self._model_base + (time.time() - self._real_base) * self.scale

    def duration(self, step: str) -> float:
        """Return how many model seconds a step takes, e.g. ``eks:create_cluster``.

        Raises:
            KeyError: if the step is not in the data file: durations are facts with sources, never a default.
        """
        seconds = self._durations[step]
        return 0.0 if self.profile == "instant" else seconds

    def restore(self, model_time: float) -> None:
        """Go on from an earlier model time, e.g. the one stored with a snapshot."""
        with self._lock:
            self._model_base, self._real_base = model_time, time.time()
            self._note()

    def _note(self) -> None:
        """Remember from when on which model time belongs to which real time."""
        self.history.append((self._real_base, self._model_base, self.scale))
        del self.history[:-HISTORY]

    def real_time(self, model_time: float) -> float:
        """Return the real time, in seconds since 1970, at which it was so late.

        A moment that was jumped over is the one of the jump; one before all that is known is the first known.
        """
        with self._lock:
            until = float("inf")
            for real, model, scale in reversed(self.history):
                if model <= model_time:
                    return min(real + (model_time - model) / scale, until)
                until = real
            return until


@dataclass
class Timeline:
    """The states that a resource goes through: each holds until its time, the last for ever.

    ``Timeline.start(now, ("creating", 480), ("backing-up", 120), last="available")``
    """

    phases: list[tuple[str, float]] = field(default_factory=list)
    last: str = "available"

    @classmethod
    def start(cls, now: float, *phases: tuple[str, float], last: str) -> Timeline:
        """Begin at ``now``; a phase that takes no time is still seen by the call that starts it only."""
        ends: list[tuple[str, float]] = []
        for state, seconds in phases:
            now += seconds
            ends.append((state, now))
        return cls(ends, last)

    def state(self, now: float) -> str:
        """Return the state at a model time."""
        return next((state for state, end in self.phases if now < end), self.last)

    def settled(self, now: float) -> bool:
        """Tell whether the last state is reached."""
        return not self.phases or now >= self.phases[-1][1]

    @property
    def first(self) -> str:
        """The state right after the start, which the starting call answers with."""
        return self.phases[0][0] if self.phases else self.last


def states(timeline: Timeline) -> Sequence[str]:
    """Return every state of a timeline in order, for tests and reports."""
    return [state for state, _end in timeline.phases] + [timeline.last]
