"""Repositories that applications come from: local ones only, because nothing leaves the machine."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

SECONDS = 20.0


class Unreadable(Exception):
    """A repository cannot be read; the message says which, and why."""


def local_path(url: str) -> Path:
    """Return the directory that an address names.

    Raises:
        Unreadable: if it names none of this machine.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    if not parts.scheme and url.startswith("/"):
        return Path(url)
    raise Unreadable(f"{url} is not read here: the sandbox takes repositories of this machine only, as file:///PATH")


class Sources:
    """Reads repositories.

    Args:
        place: where what is read at a revision is kept.
    """

    def __init__(self, place: Path) -> None:
        self._place = place

    def read(self, url: str, revision: str) -> tuple[Path, str]:
        """Return a folder with the files of a repository, and the commit that they are of.

        A bare Git repository is read at the revision; any other directory as it lies there, as ``worktree``.

        Raises:
            Unreadable: if there is no such repository or revision.
        """
        path = local_path(url)
        if not (path / "HEAD").is_file():
            if not path.is_dir():
                raise Unreadable(f"{url}: repository not found")
            return path, "worktree"
        commit = _git(path, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
        if not commit:
            raise Unreadable(f"{url}: unable to resolve '{revision}' to a commit SHA")
        target = self._place / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}-{commit[:12]}"
        if not target.is_dir():
            self._take_out(path, commit, target)
        return target, commit

    def _take_out(self, path: Path, commit: str, target: Path) -> None:
        scratch = target.with_suffix(".new")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(_git(path, "archive", "--format=tar", commit))) as archive:
            archive.extractall(scratch, filter="data")
        scratch.rename(target)


def _git(path: Path, *words: str) -> bytes:
    """Run git on a repository, whoever owns it; what it cannot tell is empty."""
    command = ["git", "-c", "safe.directory=*", f"--git-dir={path}", *words]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=SECONDS)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreadable(f"{path}: {error}") from error
    return done.stdout
