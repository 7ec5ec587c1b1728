# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an environment must not go, or not yet. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]
LIFT = "pass -e destroy_protected=true, or switch it off in the inventory and run site.yml"


def objections(facts: Facts, environment: str, region: str, *, role: str, protected: bool) -> list[str]:
    """Return a sentence for each reason, with what to do about it.

    Args:
        facts: as :func:`..facts.observe` returns them.
        role: what the inventory says of the database, ``primary`` or ``replica``.
        protected: whether the operator lifts protections from deletion.
    """
    found = [
        *_followers(facts, region),
        *_shared(facts, environment, region),
        *_roles(facts, environment, region, role),
        *_node_groups(facts, region),
    ]
    return found if protected else [*found, *_protections(facts, region)]


def _followers(facts: Facts, region: str) -> Iterator[str]:
    instances: Sequence[Facts] = facts["instances"]
    for one in instances:
        for arn in one["followers"]:
            yield (
                f"DB instance {one['identifier']} in {region} is followed by {arn}, which would lose its source. "
                "Destroy the environment of that one first, or promote it with playbooks/dr_failover.yml."
            )
        for arn in one["backup_copies"]:
            yield (
                f"The backups of DB instance {one['identifier']} in {region} are replicated to {arn.split(':')[3]} "
                f"({arn}). Destroy the environment there first, or stop that: rds_replica_backup_replication_days: 0."
            )
        if not one["owned"]:
            yield (
                f"DB instance {one['identifier']} in {region} follows {one['source']}, and is not of this environment: "
                "AWS would make it a writable database of its own. Remove it first, or promote it."
            )
    followed = facts["published_source"]
    known = [arn for one in instances for arn in one["followers"]]
    if followed and not known and any(one["arn"] == followed for one in instances):
        yield f"The pair has published that it follows {followed}. Destroy that environment first."


def _shared(facts: Facts, environment: str, region: str) -> Iterator[str]:
    secret, zone = facts["secret"], facts["zone"]
    if secret and secret["copied_to"]:
        yield (
            f"The secret {secret['name']} in {region} is copied to {', '.join(secret['copied_to'])}, and Secrets "
            "Manager deletes none that is. Destroy the environment there first."
        )
    for vpc in zone["vpcs"] if zone else ():
        if vpc["vpc_id"] != facts["vpc_id"]:
            yield (
                f"The zone {zone['name']} ({zone['id']}) of {environment} is resolved in {vpc['vpc_id']} in "
                f"{vpc['region']}, too. Destroy the environment there first, or disassociate that VPC."
            )


def _roles(facts: Facts, environment: str, region: str, role: str) -> Iterator[str]:
    """Yield what is wrong if the other side of a pair has taken over since, or is about to."""
    for one in facts["instances"]:
        if one["status"] == "deleting":
            continue
        remote = one["source"].startswith("arn:")
        if remote and role == "primary":
            yield (
                f"DB instance {one['identifier']} in {region} follows {one['source']}, but the inventory says that "
                f"{environment} has the primary. See who leads with playbooks/dr_status.yml, and correct "
                "platform_database_role."
            )
        if role == "replica" and one["owned"] and not one["source"]:
            yield (
                f"DB instance {one['identifier']} in {region} follows none and may lead, but the inventory says that "
                f"{environment} has a replica. See who leads with playbooks/dr_status.yml; fail back with "
                "playbooks/dr_failback.yml, or set platform_database_role to primary to destroy it all the same."
            )


def _node_groups(facts: Facts, region: str) -> Iterator[str]:
    cluster = facts["cluster"]
    if cluster and cluster["foreign_node_groups"]:
        yield (
            f"The cluster {cluster['name']} in {region} has node groups that this platform did not make: "
            f"{', '.join(cluster['foreign_node_groups'])}. EKS deletes no cluster that has any. Delete them first."
        )


def _protections(facts: Facts, region: str) -> Iterator[str]:
    held = [f"DB instance {one['identifier']}" for one in facts["instances"] if one["owned"] and one["protected"]]
    held += [f"EKS cluster {facts['cluster']['name']}"] if facts["cluster"] and facts["cluster"]["protected"] else []
    if held:
        yield f"Protected from deletion in {region}: {', '.join(held)}. To destroy them all the same, {LIFT}."
