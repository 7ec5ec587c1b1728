"""Getting the programs, once for all checkouts: prebuilt ones where they can be had, else built from source."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from . import programs
from .programs import HELM, NEEDED, SOURCES, Programs

Say = Callable[[str], None]
CONNECT_SECONDS = 4.0
"""Patience with a host of prebuilt programs: where it cannot be reached, building begins soon."""
SAY_SECONDS = 10.0
COMPILER = ("-gcflags=all=-dwarf=false -l", "-gcflags=std=-dwarf=false")
"""No debugging data, and no inlining but in Go's own library: a quarter less to compile, and seconds a server loses."""
PACKAGES = 2824
"""Packages that a build from nothing compiles, for the progress lines."""
CONTROL_PLANE = "kubernetes"
"""The one file that all programs of the control plane are, by several names; Go names it after the module."""


class Unobtainable(Exception):
    """The programs cannot be had on this machine; the message says why and what would help."""


class BuildFailed(Exception):
    """They could be had, and something went wrong; the message has the end of the output."""


def obtain(say: Say) -> Programs:
    """Return the programs, after getting them if need be. Whoever comes second waits for the first.

    Raises:
        Unobtainable: if there is no way to get them here.
        BuildFailed: if there is one, and it failed.
    """
    have = programs.found()
    if have:
        return have
    with _alone(say):
        have = programs.cached()
        if have:
            return have
        scratch = programs.place().with_name(f".{programs.place().name}.{os.getpid()}")
        scratch.mkdir(parents=True)
        try:
            origin = _download(scratch, say) or _build(scratch, say)
            (scratch / programs.COMPLETE).write_text(origin + "\n", "utf-8")
            scratch.rename(programs.place())
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    made = programs.cached()
    if made is None:
        raise BuildFailed(f"{programs.place()} went away while it was made")
    return made


def under_way() -> bool:
    """Tell whether somebody is getting the programs now."""
    path = _lock_path()
    if not path.exists():
        return False
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def look() -> tuple[Programs | None, bool]:
    """Return the programs, or None and whether somebody is getting them now.

    Asked in this order: whoever is done with it between the two questions has left the programs.
    """
    busy = under_way()
    have = programs.found()
    return have, busy and have is None


def _lock_path() -> Path:
    return programs.cache_root() / f"{programs.place().name}.lock"


@contextlib.contextmanager
def _alone(say: Say) -> Iterator[None]:
    """Hold the lock. It goes with the process, so a builder that is killed leaves nothing behind but scratch."""
    path = _lock_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is getting the programs; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        for left in path.parent.glob(f".{programs.place().name}.*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _download(directory: Path, say: Say) -> str:
    """Take prebuilt programs; return nothing if they cannot be had, whatever the reason."""
    rows: dict[str, dict[str, str]] = programs.pins()["prebuilt"].get(programs.machine(), {})
    if not all(name in rows for name in (*NEEDED, HELM)):
        return ""
    for name, row in rows.items():
        try:
            data = _fetch(row["url"])
        except (OSError, HTTPException, ValueError) as error:
            say(f"no prebuilt {name} ({error}); building from source")
            return ""
        if hashlib.sha256(data).hexdigest() != row["sha256"]:
            say(f"{row['url']} is not what it was when its checksum was taken; building from source")
            return ""
        _place(directory / name, data, row.get("member", ""))
        say(f"{name} downloaded, checksum right")
    return "prebuilt, downloaded"


def _fetch(url: str) -> bytes:
    with urlopen(url, timeout=CONNECT_SECONDS) as answer:
        data: bytes = answer.read()
    return data


def _place(path: Path, data: bytes, member: str) -> None:
    if member:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            found = archive.extractfile(member)
            data = found.read() if found else b""
    path.write_bytes(data)
    path.chmod(0o755)


def _build(directory: Path, say: Say) -> str:
    """Compile and link the pinned sources with the Go that there is."""
    go = shutil.which("go")
    if go is None:
        raise Unobtainable(
            "no Kubernetes API server: no programs are installed (KUBEBUILDER_ASSETS, PATH), prebuilt ones cannot be "
            "had from here, and there is no Go to build them with (install Go 1.26 or newer)"
        )
    began = time.monotonic()
    version = programs.pins()["kubernetes"]
    say(f"building Kubernetes {version} and helm from source, once: some minutes")
    _compile(go, directory, say)
    missing = [name for name in (CONTROL_PLANE, HELM) if not (directory / name).exists()]
    if missing:
        raise BuildFailed(f"the build of Kubernetes made no {' and no '.join(missing)}")
    for name in NEEDED:
        (directory / name).symlink_to(CONTROL_PLANE)
    return f"built from source in {time.monotonic() - began:.0f} s"


def _compile(go: str, directory: Path, say: Say) -> None:
    pins = programs.pins()
    facts = {
        "k8s.io/component-base/version.gitVersion": f"v{pins['kubernetes']}",
        "k8s.io/component-base/version.gitMajor": pins["kubernetes"].split(".")[0],
        "k8s.io/component-base/version.gitMinor": pins["kubernetes"].split(".")[1],
        "k8s.io/component-base/version.gitTreeState": "clean",
        "helm.sh/helm/v3/internal/version.version": f"v{pins['helm']}",
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": pins["kubernetes"].split(".")[0],
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": pins["kubernetes"].split(".")[1],
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": pins["kubernetes"].split(".")[0],
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": pins["kubernetes"].split(".")[1],
    }
    flags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in facts.items())])
    command = [go, "build", "-v", "-trimpath", *COMPILER, "-ldflags", flags, "-o", f"{directory}{os.sep}"]
    command += [".", "helm.sh/helm/v3/cmd/helm"]
    if nice := shutil.which("nice"):
        command = [nice, "-n", "10", *command]
    settings = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    _run(command, {**os.environ, **settings}, say)


def _run(command: list[str], environment: dict[str, str], say: Say) -> None:
    """Run a build, and say how far it is now and then."""
    child = subprocess.Popen(  # noqa: S603 - Go, and arguments of ours
        command, cwd=SOURCES, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    progress = _Progress()
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(SAY_SECONDS):
            say(progress.text())

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        for line in child.stderr or ():
            progress.take(line.rstrip())
        status = child.wait()
    finally:
        ended.set()
        if child.poll() is None:
            child.kill()
    if status != 0 and not progress.compiles:
        raise Unobtainable(
            "no Kubernetes API server: no programs are installed (KUBEBUILDER_ASSETS, PATH), prebuilt ones cannot be "
            f"had from here, and Go did not get as far as compiling:\n{progress.end()}"
        )
    if status != 0:
        raise BuildFailed(f"the build of Kubernetes failed:\n{progress.end()}")


class _Progress:
    """What ``go build -v`` has said so far: a line a module that is fetched, a line a package that is compiled."""

    def __init__(self) -> None:
        self._fetched = self._compiled = 0
        self._began = time.monotonic()
        self._last: list[str] = []

    def take(self, line: str) -> None:
        """Count a line."""
        if line.startswith("go: downloading"):
            self._fetched += 1
        elif re.fullmatch(r"[\w./~-]+", line):
            self._compiled += 1
        self._last = [*self._last[-40:], line]

    @property
    def compiles(self) -> bool:
        """Whether all sources are there: Go compiles nothing until then."""
        return self._compiled > 0

    def text(self) -> str:
        """Return where it is."""
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        share = min(99, 100 * self._compiled // PACKAGES)
        return f"{minutes}:{seconds:02d} {self._fetched} modules fetched, {self._compiled} packages compiled, {share} %"

    def end(self) -> str:
        """Return the end of the output, without the packages that were compiled."""
        return "\n".join(line for line in self._last if not re.fullmatch(r"[\w./~-]+", line))


def link_helm(have: Programs) -> Path | None:
    """Put helm beside the Python that runs, unless there is one; return where it is then.

    Only a virtual environment is written to.
    """
    if HELM not in have.paths:
        return None
    link = Path(sys.prefix) / "bin" / HELM
    target = Path(have.paths[HELM])
    if sys.prefix == sys.base_prefix or link == target:
        return target
    if link.is_symlink() and programs.cache_root() in link.readlink().parents:
        link.unlink()  # an earlier version's, or of a cache that was emptied
    if not link.exists():
        link.symlink_to(target)
    return link


def describe() -> dict[str, Any]:
    """Return what there is, for the ``status`` command and the sandbox's health."""
    have, busy = look()
    if have:
        return {"version": have.version, "origin": have.origin, "programs": have.paths}
    return {"version": None, "origin": "being built" if busy else "none", "programs": {}}
