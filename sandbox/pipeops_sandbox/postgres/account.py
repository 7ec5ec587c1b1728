"""Who the servers run as, and where their files can be: PostgreSQL refuses to run as root."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .binaries import Binaries

NAMES = ("postgres", "nobody")
ORIGIN = "origin"
ELSEWHERE = Path("/var/tmp/pipeops-sandbox")  # noqa: S108 - made by root with its own mode, one directory a state


@dataclass(frozen=True)
class Account:
    """The account of the servers. ``user`` is empty when it is our own."""

    user: str = ""
    uid: int = -1
    gid: int = -1

    @property
    def options(self) -> dict[str, Any]:
        """Return what ``subprocess`` needs to start a program under the account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.user else {}

    def own(self, path: Path) -> Path:
        """Make a directory that belongs to the account."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.user:
            os.chown(path, self.uid, self.gid)
        return path

    def reaches(self, path: Path) -> bool:
        """Tell whether the account can enter a directory."""
        command = ["/bin/sh", "-c", 'cd "$1" 2>/dev/null', "sh", str(path)]
        return subprocess.run(command, check=False, **self.options).returncode == 0  # noqa: S603 - fixed words


@cache
def account() -> Account:
    """Return the account to run servers under: our own, or an unprivileged one if we are root.

    Raises:
        OSError: if there is none.
    """
    if os.geteuid() != 0:
        return Account()
    for name in NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise OSError(f"PostgreSQL does not run as root, and there is no account {' or '.join(NAMES)} on this machine")


def home(state_dir: Path, who: Account) -> Path:
    """Return the directory of all that the servers have: ``postgres`` in the state directory.

    Where the account cannot go there (a state below ``/root``), it lies in ``/var/tmp``, and ``postgres`` leads to it.
    """
    place = state_dir / "postgres"
    if place.is_dir() and who.reaches(place):
        return place.resolve()
    if not place.is_symlink():
        who.own(place)
        if who.reaches(place):
            return place
        place.rmdir()
    target = ELSEWHERE / hashlib.sha256(str(place).encode()).hexdigest()[:16]
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    _sweep()
    place.unlink(missing_ok=True)
    place.symlink_to(target)
    who.own(target)
    (target / ORIGIN).write_text(str(place), "utf-8")
    return target


def _sweep() -> None:
    """Remove what belongs to state directories that are no more."""
    for origin in ELSEWHERE.glob(f"*/{ORIGIN}"):
        if not Path(origin.read_text("utf-8")).is_symlink():
            shutil.rmtree(origin.parent, ignore_errors=True)


def within_reach(binaries: Binaries, place: Path, who: Account) -> Binaries:
    """Return binaries that the account can run: these, or a copy of them below ``place``."""
    if who.reaches(binaries.directory):
        return binaries
    copy = place / "programs" / str(binaries.major)
    if not copy.exists():
        scratch = copy.with_name(f".{copy.name}")
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(binaries.directory.parent, scratch, symlinks=True)
        scratch.parent.chmod(0o755)
        scratch.rename(copy)
    return Binaries(binaries.major, copy / "bin")
