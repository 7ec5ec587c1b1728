# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the bounds of nodes are shared among zones, and what a node of a managed node group is like. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: The device of the disk that containers are on, by the beginning of the AMI type.
DEVICES = {"AL2023": "/dev/xvda", "BOTTLEROCKET": "/dev/xvdb"}


def share(minimum: int, maximum: int, zones: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return the bounds of each zone's group, so that they come to the environment's in sum.

    What does not come out even goes to the first zones. A zone that may have no node has no group, since EKS takes
    none with a maximum of 0. Without zones there are no groups: their removal needs to know of none.
    """
    if not zones:
        return {}
    low, high = _parts(minimum, len(zones)), _parts(maximum, len(zones))
    return {zone: bounds for zone, bounds in zip(zones, zip(low, high, strict=True), strict=True) if bounds[1]}


def group_name(cluster: str, zone: str, revision: str) -> str:
    """Return the name of a zone's node group."""
    return f"{cluster}-{zone}-{revision}"


def _parts(total: int, count: int) -> list[int]:
    each, rest = divmod(total, count)
    return [each + (number < rest) for number in range(count)]


def machine(
    ami_type: str, disk_gib: int, kms_key_arn: str | None, tags: Mapping[str, str], cluster: str
) -> dict[str, Any]:
    """Return the launch template of nodes: encrypted gp3 disks, and credentials of the instance for no pod.

    Args:
        tags: those that instances and volumes are found by. None that changes often: it would replace all nodes.
    """
    device = next(path for prefix, path in DEVICES.items() if ami_type.startswith(prefix))
    key = {"KmsKeyId": kms_key_arn} if kms_key_arn else {}
    disk = {"DeleteOnTermination": True, "Encrypted": True, **key, "VolumeSize": disk_gib, "VolumeType": "gp3"}
    # So both are known for parts of the cluster, which come and go without a plan.
    own = {**tags, f"kubernetes.io/cluster/{cluster}": "owned"}
    named = [{"Key": name, "Value": value} for name, value in sorted(own.items())]
    return {
        "BlockDeviceMappings": [{"DeviceName": device, "Ebs": disk}],
        "MetadataOptions": {"HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1, "HttpTokens": "required"},
        "TagSpecifications": [{"ResourceType": kind, "Tags": named} for kind in ("instance", "volume")],
    }
