# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proof that an environment is gone: what carries its tags or those of its cluster, and why it may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from ..drift.tagged import deploys, names_of, roles_of, stands, type_of
from ..engine.aws import Aws, tag_dict
from ..engine.model import TAG_COMPONENT, TAG_ENVIRONMENT, TAG_PLATFORM, Identity, Scope, Wanted
from ..layers.environment_alarms import LAYER as ALARMS
from ..layers.service_leftovers import LAYER as LEFTOVERS
from ..layers.service_leftovers import leftovers_of
from ..resources._route53 import find_zone
from ..resources.budgets_budget import BudgetsBudget
from ..resources.leftovers import ANCHOR
from .facts import is_owned

#: What the tagging API lists of the cluster, the database and others, and a resource in it stands for.
PARTS = frozenset({"ec2:security-group-rule"})
RETAINED_BY_DYNAMODB = "DynamoDB keeps the last state of a table with point-in-time recovery for 35 days, at no cost"


@dataclass(frozen=True)
class Keeping:
    """What is kept on purpose.

    Attributes:
        keys: for each KMS key by its name, what needs it.
        snapshots, backups, state: whether DB snapshots, retained backups, and bucket and lock table are kept.
    """

    keys: Mapping[str, Iterable[str]] = field(default_factory=dict)
    snapshots: bool = True
    backups: bool = True
    state: bool = False


@dataclass(frozen=True)
class Remain:
    """One thing that is still there.

    Attributes:
        type: as the tagging API names it, e.g. ``rds:snapshot``.
        reason: why it is kept; empty if it is left over.
        price: service, item and how many of it, by which the list of prices has it; None for what costs nothing.
        note: what is said in the place of a price.
    """

    region: str
    type: str
    name: str
    arn: str = ""
    reason: str = ""
    price: tuple[str, str, float] | None = None
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as the result and the report carry it."""
        return {**asdict(self), "kept": bool(self.reason), "price": list(self.price) if self.price else None}


def remains(
    here: Aws, elsewhere: Iterable[Aws], identity: Identity, keeping: Keeping, services: Mapping[str, Any]
) -> list[Remain]:
    """Return everything that is still there.

    Args:
        here: the region of the environment.
        elsewhere: further regions in which it may have something.
        services: ``vpc_id``, ``cluster_name`` and ``db_instances``, by which leftovers of services are known.
    """
    every = [here, *elsewhere]
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(_of_region, aws, identity, keeping) for aws in every]
        jobs += [pool.submit(look, here, identity) for look in (_roles, _zones, _providers, _budgets)]
        jobs.append(pool.submit(_of_services, here, identity, services))
        found = [one for job in jobs for one in job.result()]
    unique = {(one.region, one.type, one.name): one for one in found}
    return sorted(unique.values(), key=lambda one: (bool(one.reason), one.region, one.type, one.name))


def _of_region(aws: Aws, identity: Identity, keeping: Keeping) -> list[Remain]:
    """Return what the tagging API lists, and the secrets, of which it may not list those that wait for their end."""
    filters = [
        {"Key": TAG_ENVIRONMENT, "Values": [identity.environment]},
        {"Key": TAG_PLATFORM, "Values": [identity.platform]},
    ]
    rows = aws.pages("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=filters)
    tagged = {row["ResourceARN"]: tag_dict(row.get("Tags")) for row in rows if type_of(row["ResourceARN"]) not in PARTS}
    secrets = aws.pages("secretsmanager", "list_secrets", "SecretList", IncludePlannedDeletion=True)
    own = {row["ARN"]: tags for row in secrets if is_owned(identity, tags := tag_dict(row.get("Tags")))}
    arns = {arn for arn, tags in {**tagged, **own}.items() if not deploys(tags)}
    return [_remain(aws, arn, keeping) for arn in sorted(arns) if _is_there(aws, arn)]


def _is_there(aws: Aws, arn: str) -> bool:
    # A key that waits for its deletion has its own line.
    return type_of(arn) == "kms:key" or stands(aws, arn)


def _remain(aws: Aws, arn: str, keeping: Keeping) -> Remain:
    kind = type_of(arn)
    name = sorted(names_of(arn), key=len)[0]
    why = _REASONS.get(kind)
    reason, price, note = why(aws, arn, keeping) if why else ("", None, "")
    return Remain(aws.region, kind, name, arn, reason, price, note)


Reason = tuple[str, "tuple[str, str, float] | None", str]
NONE: Reason = ("", None, "")


def _snapshot(aws: Aws, arn: str, keeping: Keeping) -> Reason:
    if not keeping.snapshots:
        return NONE
    name = arn.partition(":snapshot:")[2]
    (found,) = aws.client("rds").describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"]
    gib = float(found.get("AllocatedStorage", 0))
    price = ("AmazonRDS", "backup-storage:above-free", gib)
    return (
        "data of the database; delete it with -e destroy_snapshots=true",
        price,
        "at most: its size in use counts",
    )


def _backup(aws: Aws, arn: str, keeping: Keeping) -> Reason:
    client = aws.client("rds")
    found = client.describe_db_instance_automated_backups(DBInstanceAutomatedBackupsArn=arn)
    for backup in found["DBInstanceAutomatedBackups"]:
        if backup["Status"] == "retained" and keeping.backups:
            days, gib = backup.get("BackupRetentionPeriod"), float(backup.get("AllocatedStorage", 0))
            reason = f"backups for {days} days from their time; delete them with -e destroy_backups=true"
            return reason, ("AmazonRDS", "backup-storage:above-free", gib), "at most: what has changed counts"
    return NONE


def _key(aws: Aws, arn: str, keeping: Keeping) -> Reason:
    key = aws.client("kms").describe_key(KeyId=arn)["KeyMetadata"]
    tags = tag_dict(aws.pages("kms", "list_resource_tags", "Tags", KeyId=arn))
    name = tags.get(TAG_COMPONENT, "").removeprefix("kms/")
    if key["KeyState"] == "PendingDeletion":
        until = key["DeletionDate"].date().isoformat()
        reason = f"the key {name}, which AWS deletes on {until}; until then it can be taken back"
        return reason, None, "none while it waits"
    uses = list(keeping.keys.get(name, ()))
    if not uses:
        return NONE
    return f"the key {name}, needed by {', '.join(uses)}", ("awskms", "customer-managed-key", 1), ""


def _secret(aws: Aws, arn: str, _keeping: Keeping) -> Reason:
    found = aws.client("secretsmanager").describe_secret(SecretId=arn)
    if not found.get("DeletedDate"):
        return NONE
    return "Secrets Manager deletes it within 30 days; until then it can be restored", None, "none while it waits"


def _state(_aws: Aws, _arn: str, keeping: Keeping) -> Reason:
    if not keeping.state:
        return NONE
    return "destroy_keep_state=true; run again without it to delete it", None, "by usage, cents"


def _system_backup(_aws: Aws, _arn: str, _keeping: Keeping) -> Reason:
    return RETAINED_BY_DYNAMODB, None, "none"


_REASONS: Mapping[str, Callable[[Aws, str, Keeping], Reason]] = {
    "rds:snapshot": _snapshot,
    "rds:auto-backup": _backup,
    "kms:key": _key,
    "secretsmanager:secret": _secret,
    "s3": _state,
    "dynamodb:table": _state,
    "dynamodb:backup": _system_backup,
}


def _roles(aws: Aws, identity: Identity) -> list[Remain]:
    arns = roles_of(aws, identity, set())
    return [Remain("global", "iam:role", arn.rpartition("/")[2], arn) for arn in arns]


def _providers(aws: Aws, identity: Identity) -> list[Remain]:
    client, found = aws.client("iam"), []
    for row in client.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        arn = row["Arn"]
        tags = client.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"]
        if is_owned(identity, tag_dict(tags)):
            found.append(Remain("global", "iam:oidc-provider", arn.partition("/")[2], arn))
    return found


def _zones(aws: Aws, identity: Identity) -> list[Remain]:
    zone = find_zone(aws, Scope(identity, "dns", aws.region, {}), "private", "")
    if zone is None:
        return []
    return [Remain("global", "route53:hostedzone", zone.name, zone.id, price=("AmazonRoute53", "hosted-zone", 1))]


def _budgets(aws: Aws, identity: Identity) -> list[Remain]:
    """Return the budget, which is in no region."""
    found = BudgetsBudget().observe(aws, Scope(identity, ALARMS.name, aws.region, {}))
    return [Remain("global", "budgets:budget", one.id, str(one.get("arn"))) for one in found]


def _of_services(aws: Aws, identity: Identity, services: Mapping[str, Any]) -> list[Remain]:
    """Return what the cluster and services made, by their own tags and names."""
    cluster = services["cluster_name"] or identity.prefix
    anchor = Wanted(*ANCHOR, leftovers_of(cluster, services["vpc_id"], services["db_instances"]))
    left = []
    for resource_type in LEFTOVERS.types:
        scope = Scope(identity, LEFTOVERS.name, aws.region, {}, {ANCHOR: anchor})
        for found in resource_type.observe(aws, scope):
            kind = f"{resource_type.service}:{resource_type.label}"
            left.append(Remain(aws.region, kind, found.name, str(found.get("arn") or "")))
    return left
