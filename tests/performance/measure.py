# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands measured in turn, so that a machine whose speed drifts is as fast for one as for the other."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """One run: seconds on the clock, seconds of all processors, and the largest process in MiB."""

    wall: float
    cpu: float
    peak_mib: float


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Attributes:
        command: what is run; it has to end with 0.
        before: what is done before each run, and is not measured.
    """

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    before: Callable[[], None] = field(default=lambda: None)


class Failed(Exception):
    """A command that was to be measured did not end with 0."""


def sample(subject: Subject) -> Sample:
    """Run it once.

    Raises:
        Failed: with the end of what it printed.
    """
    subject.before()
    began = time.monotonic()
    with subprocess.Popen(
        subject.command,
        cwd=subject.folder,
        env=dict(subject.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        printed = process.stdout.read()
        # Of this child and those that it has waited for; getrusage would count the children of all subjects together.
        _pid, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"{subject.name} ended with {process.returncode}:\n{printed[-4000:]}")
    return Sample(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def rounds(subjects: Sequence[Subject], count: int, told: Callable[[str], None]) -> dict[str, list[Sample]]:
    """Run each once for nothing, then all of them in turn, so often."""
    for subject in subjects:
        told(f"{subject.name}: {sample(subject).wall:.1f} s, not counted")
    found: dict[str, list[Sample]] = {subject.name: [] for subject in subjects}
    for number in range(count):
        for subject in subjects:
            found[subject.name].append(sample(subject))
            told(f"{subject.name}: {found[subject.name][-1].wall:.1f} s, round {number + 1} of {count}")
    return found


def median(samples: Sequence[Sample], what: str = "wall") -> float:
    """Return the median of one figure."""
    return statistics.median(float(getattr(one, what)) for one in samples)


def ratio(one: Sequence[Sample], other: Sequence[Sample], what: str = "wall") -> float:
    """Return the median of the ratios, round by round."""
    return statistics.median(
        float(getattr(mine, what)) / float(getattr(theirs, what)) for mine, theirs in zip(one, other, strict=True)
    )
