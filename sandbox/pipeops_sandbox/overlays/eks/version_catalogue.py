"""Which Kubernetes versions EKS offers, and until when it supports them."""

from __future__ import annotations

import datetime
import functools
from importlib import resources
from typing import Any

import yaml

from .call import invalid_parameter


@functools.cache
def _catalogue() -> dict[str, Any]:
    text = resources.files("pipeops_sandbox").joinpath("data/eks_versions.yml").read_text("utf-8")
    catalogue: dict[str, Any] = yaml.safe_load(text)
    return catalogue


def versions() -> dict[str, dict[str, Any]]:
    """Return every version that can be created, newest first."""
    rows: dict[str, dict[str, Any]] = _catalogue()["versions"]
    return rows


def default_version() -> str:
    """Return the version of a cluster whose creator names none; not necessarily the newest."""
    return str(_catalogue()["default"])


def scaling_tiers() -> list[str]:
    """Return the tiers of the provisioned control plane, ``standard`` first."""
    return list(_catalogue()["scaling_tiers"])


def platform_version(version: str) -> str:
    """Return the platform version that new clusters of a Kubernetes version get, e.g. ``eks.9``."""
    return str(versions()[version]["platform"])


def require_version(cluster: str, version: str, now: float) -> None:
    """Refuse a Kubernetes version that EKS does not offer.

    Raises:
        AwsError: InvalidParameterException.
    """
    if version not in versions() or support_status(version, now) == "UNSUPPORTED":
        raise invalid_parameter(f"unsupported Kubernetes version {version}", clusterName=cluster)


def support_status(version: str, now: float) -> str:
    """Return STANDARD_SUPPORT, EXTENDED_SUPPORT or UNSUPPORTED, at a model time."""
    today = datetime.datetime.fromtimestamp(now, datetime.UTC).date()
    row = versions()[version]
    if today <= row["standard_until"]:
        return "STANDARD_SUPPORT"
    return "EXTENDED_SUPPORT" if today <= row["extended_until"] else "UNSUPPORTED"


def minor(version: str) -> int:
    """Return the minor number of a version, e.g. 36."""
    return int(version.split(".")[1])


def timestamp(date: datetime.date) -> float:
    """Return the first second of a day in UTC, since 1970."""
    return datetime.datetime.combine(date, datetime.time(), datetime.UTC).timestamp()
