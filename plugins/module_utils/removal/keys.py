# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The KMS keys of an environment, and which of them something that is kept cannot be read without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.aws import Aws, tag_dict
from ..engine.model import TAG_COMPONENT, Identity
from .facts import is_owned

#: The component tag of keys begins so.
LAYER = "kms/"


def keys_of(aws: Aws, identity: Identity) -> dict[str, str]:
    """Return the ARN of each key by its name, those that wait for their deletion under an alias included."""
    client, prefix = aws.client("kms"), f"alias/{identity.prefix}-"
    found: dict[str, str] = {}
    for alias in aws.pages("kms", "list_aliases", "Aliases"):
        if not alias["AliasName"].startswith(prefix) or not alias.get("TargetKeyId"):
            continue
        # pipeops-prod- is the start of pipeops-prod-eu-, too: the tags say whose it is.
        tags = tag_dict(aws.pages("kms", "list_resource_tags", "Tags", KeyId=alias["TargetKeyId"]))
        if is_owned(identity, tags):
            arn = client.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]["Arn"]
            found[alias["AliasName"].removeprefix(prefix)] = str(arn)
    return found | _without_alias(aws, identity, set(found.values()))


def _without_alias(aws: Aws, identity: Identity, known: set[str]) -> dict[str, str]:
    """Return keys that a killed run has not given their alias yet."""
    tags = identity.tags(LAYER)
    del tags[TAG_COMPONENT]
    items = aws.pages(
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        ResourceTypeFilters=["kms:key"],
        TagFilters=[{"Key": key, "Values": [value]} for key, value in tags.items()],
    )
    client, found = aws.client("kms"), {}
    for item in items:
        arn, component = item["ResourceARN"], tag_dict(item["Tags"]).get(TAG_COMPONENT, "")
        if arn in known or not component.startswith(LAYER):
            continue
        if client.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] != "PendingDeletion":
            found[component.removeprefix(LAYER)] = str(arn)
    return found


def uses_of(aws: Aws, *, snapshots: bool, backups: bool) -> list[tuple[str, str]]:
    """Return what is kept in the region and encrypted: the ARN of the key, and what it is.

    Args:
        snapshots: whether DB snapshots that are there now are kept.
        backups: whether retained and replicated automated backups are.
    """
    found: list[tuple[str, Mapping[str, Any]]] = []
    if snapshots:
        rows = aws.pages("rds", "describe_db_snapshots", "DBSnapshots", SnapshotType="manual")
        found += [(f"DB snapshot {row['DBSnapshotIdentifier']}", row) for row in rows]
    if backups:
        rows = aws.pages("rds", "describe_db_instance_automated_backups", "DBInstanceAutomatedBackups")
        # Those of an instance that stands go with it.
        kept = [row for row in rows if row["Status"] != "active"]
        found += [(f"{row['Status']} backups of {row['DBInstanceIdentifier']}", row) for row in kept]
    volumes = aws.pages("ec2", "describe_snapshots", "Snapshots", OwnerIds=["self"])
    found += [(f"EBS snapshot {row['SnapshotId']}", row) for row in volumes]
    return [(str(row["KmsKeyId"]), what) for what, row in found if row.get("KmsKeyId")]


def kept_for(keys: Mapping[str, str], uses: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Return what each key is kept for; those that nothing needs are left out. Pure."""
    by_id = {arn.rpartition("/")[2]: name for name, arn in keys.items()}
    found: dict[str, list[str]] = {}
    for arn, what in uses:
        name = by_id.get(arn.rpartition("/")[2])
        if name:
            found.setdefault(name, []).append(what)
    return found
