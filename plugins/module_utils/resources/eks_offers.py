# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What EKS offers for a Kubernetes version: add-ons with their versions. It is only ever read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

from ..engine.aws import Aws
from ..engine.model import Observed, ResourceType, Scope

#: Versions that stand for one of those offered.
DEFAULT, LATEST = "default", "latest"
#: The versions of one add-on, each as ``{"version": ..., "default": ..., "compute_types": [...]}``.
Offers = Sequence[Mapping[str, Any]]


class EksOffers(ResourceType):
    """The add-on versions for one Kubernetes version.

    Attributes:
        cluster_name: the cluster that the other resources of the layer belong to.
        kubernetes_version: major and minor.
        addons: the names of the add-ons that are asked for.

    Read only: ``offers``, the versions of each of them; none for an add-on that is not offered.
    """

    kind = "eks_offers"
    label = "offer of add-ons"
    service = "eks"
    removable = False
    create_only = frozenset({"cluster_name", "kubernetes_version", "addons"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = []
        for name, wanted in scope.wanted.items():
            kubernetes, addons = wanted.attributes["kubernetes_version"], wanted.attributes["addons"]
            with ThreadPoolExecutor(8) as pool:
                offers = list(pool.map(versions, repeat(aws), addons, repeat(kubernetes)))
            attributes = {"kubernetes_version": kubernetes, "offers": dict(zip(addons, offers, strict=True))}
            found.append(Observed(self.kind, name, kubernetes, attributes))
        return found


def versions(aws: Aws, addon: str, kubernetes: str) -> list[dict[str, Any]]:
    """Return the versions of an add-on that run on a Kubernetes version, the newest first; none if EKS has none."""
    client = aws.client("eks")
    try:
        offered = aws.pages("eks", "describe_addon_versions", "addons", addonName=addon, kubernetesVersion=kubernetes)
    except (client.exceptions.ResourceNotFoundException, client.exceptions.InvalidParameterException):
        return []
    rows = [row for item in offered if item["addonName"] == addon for row in item["addonVersions"]]
    found = [
        {
            "version": row["addonVersion"],
            "default": any(one.get("defaultVersion") for one in row["compatibilities"]),
            "compute_types": list(row.get("computeTypes") or ()),
        }
        for row in rows
        if any(one.get("clusterVersion") == kubernetes for one in row["compatibilities"])
    ]
    return sorted(found, key=lambda row: rank(row["version"]), reverse=True)


def rank(version: str) -> tuple[int, ...]:
    """Return what orders versions such as ``v1.22.1-eksbuild.3``."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def choose(offers: Offers, version: str) -> str:
    """Return the version that is meant; as it is given if nothing is offered, which is refused elsewhere."""
    if version == LATEST and offers:
        return str(offers[0]["version"])
    if version == DEFAULT:
        return next((str(row["version"]) for row in offers if row["default"]), version)
    return version
