"""The programs of a Kubernetes control plane: those that are installed, or those in the cache."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

NEEDED = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
HELM = "helm"
SOURCES = Path(__file__).resolve().parent / "programs"
COMPLETE = "complete"
"""The file that says that a directory of the cache has all it is to have."""


@dataclass(frozen=True)
class Programs:
    """Where the programs are.

    Attributes:
        paths: by the program's name.
        version: of Kubernetes, e.g. ``1.36.3``.
        origin: in words, for whoever asks.
    """

    paths: dict[str, str]
    version: str
    origin: str

    def program(self, name: str) -> str:
        """Return the path of a program."""
        return self.paths[name]

    @property
    def minor(self) -> tuple[int, int]:
        """The minor version, comparable: ``(1, 36)``."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


@cache
def pins() -> dict[str, Any]:
    """Return the versions, and where prebuilt programs are, from ``data/kubernetes_programs.yml``."""
    text = resources.files("pipeops_sandbox").joinpath("data/kubernetes_programs.yml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def cache_root() -> Path:
    """Return the directory that all checkouts of an account share."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pipeops" / "kubernetes"


def machine() -> str:
    """Return the platform as Go names it, e.g. ``linux-amd64``."""
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    return f"{sys.platform}-{names.get(platform.machine(), platform.machine())}"


@cache
def place() -> Path:
    """Return the cache's directory for exactly these sources and versions."""
    digest = hashlib.sha256(str(pins()).encode())
    for path in sorted(SOURCES.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return cache_root() / f"{pins()['kubernetes']}-{digest.hexdigest()[:12]}-{machine()}"


def cached() -> Programs | None:
    """Return the programs of the cache, if it has them."""
    directory = place()
    if not (directory / COMPLETE).exists():
        return None
    paths = {name: str(directory / name) for name in (*NEEDED, HELM)}
    return Programs(paths, pins()["kubernetes"], (directory / COMPLETE).read_text("utf-8").strip())


def installed() -> Programs | None:
    """Return the programs that the machine has, if it has all: in ``KUBEBUILDER_ASSETS``, else on the path."""
    own = os.environ.get("KUBEBUILDER_ASSETS", "")
    search = os.pathsep.join(filter(None, (own, os.environ.get("PATH", ""))))
    paths = {name: found for name in (*NEEDED, HELM) if (found := shutil.which(name, path=search))}
    if not all(name in paths for name in NEEDED):
        return None
    answer = subprocess.run(  # noqa: S603 - found by us
        [paths["kube-apiserver"], "--version"], capture_output=True, text=True, check=False
    )
    version = answer.stdout.strip().rpartition(" v")[2]
    return Programs(paths, version, "installed on this machine") if version else None


def found() -> Programs | None:
    """Return what there is, without getting anything: what is installed comes first."""
    return installed() or cached()
