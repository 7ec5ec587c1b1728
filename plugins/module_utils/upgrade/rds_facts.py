# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What RDS and CloudWatch know of a database that is to be upgraded, and of all that follows it. It only reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ..engine.aws import Aws, tag_dict
from ..engine.errors import EngineError
from ..engine.function import refusals_as
from ..resources import rds_metrics
from ..resources.rds_describe import Instance, describe
from ..resources.rds_instance import version_of
from ..resources.rds_source import InstanceArn
from .rds_inside import Inside

#: How much is read side by side.
READERS = 8
#: What an instance is to the database: it itself, a replica beside it, the one in another region.
PRIMARY, REPLICA, STANDBY = "primary", "replica", "standby"
FREE = "FreeStorageSpace"
GIB = 2**30
#: The tags of the primary that outlive a run which was killed: the target, and since when nothing can take over.
TAG_UPGRADE, TAG_UNCOVERED = "pipeops:upgrades-to", "pipeops:uncovered-since"


@dataclass(frozen=True)
class Member:
    """An instance of a database.

    Attributes:
        instance: as DescribeDBInstances returns it.
        lag: of a replica in seconds; None if nobody knows.
        free_gib: storage that is left; None if nobody knows.
        maintenance: descriptions of what AWS wants to do to it.
        targets: the versions that RDS upgrades its version to, each with whether that is a major upgrade.
        orderable: whether its class can be had with the target.
    """

    instance: Instance
    region: str
    role: str
    lag: float | None = None
    free_gib: float | None = None
    maintenance: Sequence[str] = ()
    targets: Mapping[str, bool] = field(default_factory=dict)
    orderable: bool = True

    @property
    def name(self) -> str:
        return str(self.instance["DBInstanceIdentifier"])

    @property
    def arn(self) -> str:
        return str(self.instance["DBInstanceArn"])

    @property
    def version(self) -> str:
        """The version that it runs."""
        return str(self.instance["EngineVersion"])

    @property
    def status(self) -> str:
        return str(self.instance["DBInstanceStatus"])

    @property
    def where(self) -> str:
        """What it is called in a sentence."""
        return f"{self.name} in {self.region}"

    def behind(self, target: str) -> bool:
        """Tell whether it runs an earlier version."""
        return version_of(self.version) < version_of(target)


@dataclass(frozen=True)
class Facts:
    """A database, the version that it is to get, and what stands of it.

    Attributes:
        replicas: those in its region, then those elsewhere.
        pair: the instance that the platform knows as the database's standby, whatever it is now; None if none stands.
        parameters: those that the database gets; unknown: those of them that the target's family does not have.
        inside: what PostgreSQL tells; None if it was not asked, or did not answer, for which there is the reason.
    """

    primary: Member
    target: str
    replicas: Sequence[Member] = ()
    pair: Instance | None = None
    unknown: Sequence[str] = ()
    inside: Inside | None = None
    silence: str = ""

    @property
    def unfinished(self) -> tuple[str, str] | None:
        """From which to which version an upgrade was begun and not finished; None if there is none."""
        old, _to, new = self.tags.get(TAG_UPGRADE, "").partition(" to ")
        return (old, new) if new else None

    @property
    def origin(self) -> str:
        """The version before the upgrade, also where the primary has the new one already."""
        begun = self.unfinished
        return begun[0] if begun and begun[1] == self.target else self.primary.version

    @property
    def begins(self) -> bool:
        """Whether there is anything left to do."""
        begun = self.unfinished
        return any(one.behind(self.target) for one in self.members) or bool(begun and begun[1] == self.target)

    @property
    def major(self) -> bool:
        """Whether the target is of another major version than what stood before."""
        before = [self.origin, *(one.version for one in self.members)]
        return any(version_of(one)[0] != version_of(self.target)[0] for one in before)

    @property
    def members(self) -> Sequence[Member]:
        """All instances, replicas first."""
        return (*self.replicas, self.primary)

    @property
    def tags(self) -> dict[str, str]:
        return tag_dict(self.primary.instance.get("TagList"))


@dataclass(frozen=True)
class Question:
    """What is asked: the options of the module."""

    identifier: str
    target: str
    pair_arn: str | None
    parameters: Sequence[str]


def read(aws: Aws, asked: Question, look_inside: Callable[[Instance], tuple[Inside | None, str]]) -> Facts:
    """Read all of it.

    Args:
        look_inside: asks PostgreSQL on the instance that it is given; the second is why it does not answer.

    Raises:
        EngineError: if there is no such database, or AWS refuses to tell.
    """
    with refusals_as(f"The database {asked.identifier} in {aws.region} could not be looked at"):
        instance = describe(aws, asked.identifier)
        if instance is None:
            raise EngineError(
                f"There is no DB instance {asked.identifier} in {aws.region}. Stand it up first, e.g. by "
                "playbooks/database.yml."
            )
        inside, silence = look_inside(instance)
        with ThreadPoolExecutor(READERS) as pool:
            unknown = pool.submit(_unknown, aws, asked, str(instance["EngineVersion"]))
            pair = pool.submit(_pair, aws, asked.pair_arn)
            followers = list(pool.map(lambda one: _follower(aws, one, asked), _names(instance)))
            primary = _member(aws, instance, aws.region, PRIMARY, asked.target)
            replicas = [one for one in followers if one is not None]
            return Facts(
                primary, asked.target, replicas, pair.result(), tuple(unknown.result()), inside, silence
            )  # fmt: skip


def _names(instance: Instance) -> list[str]:
    """Return the replicas of an instance: identifiers in its region, then ARNs elsewhere."""
    found = instance.get("ReadReplicaDBInstanceIdentifiers") or ()
    return sorted(found, key=lambda one: (one.startswith("arn:"), one))


def _follower(aws: Aws, name: str, asked: Question) -> Member | None:
    where = InstanceArn.parse(name)
    region, identifier = (where.region, where.identifier) if where else (aws.region, name)
    instance = describe(aws, identifier, region=region)
    if instance is None or instance["DBInstanceStatus"] == "deleting":
        return None
    return _member(aws, instance, region, STANDBY if where else REPLICA, asked.target)


def _pair(aws: Aws, arn: str | None) -> Instance | None:
    where = InstanceArn.parse(arn) if arn else None
    instance = describe(aws, where.identifier, region=where.region) if where else None
    return None if instance is None or instance["DBInstanceStatus"] == "deleting" else instance


def _member(aws: Aws, instance: Instance, region: str, role: str, target: str) -> Member:
    name = str(instance["DBInstanceIdentifier"])
    metrics = [FREE] if role == PRIMARY else [FREE, rds_metrics.LAG]
    found = rds_metrics.latest(aws, name, metrics, region=region)
    free = found[FREE]
    return Member(
        instance,
        region,
        role,
        rds_metrics.known_lag(found.get(rds_metrics.LAG)),
        None if free is None else free / GIB,
        tuple(_maintenance(aws, instance, region)),
        _targets(aws, str(instance["EngineVersion"]), region),
        _orderable(aws, instance, region, target),
    )


def _maintenance(aws: Aws, instance: Instance, region: str) -> list[str]:
    found = aws.client("rds", region=region).describe_pending_maintenance_actions(
        ResourceIdentifier=instance["DBInstanceArn"]
    )["PendingMaintenanceActions"]
    rows = [row for one in found for row in one.get("PendingMaintenanceActionDetails") or ()]
    return [f"{row.get('Action')}: {row.get('Description', '')}".rstrip(": ") for row in rows]


def _targets(aws: Aws, version: str, region: str) -> dict[str, bool]:
    found = aws.client("rds", region=region).describe_db_engine_versions(
        Engine="postgres", EngineVersion=version, IncludeAll=True
    )["DBEngineVersions"]
    rows = [row for one in found if one["EngineVersion"] == version for row in one.get("ValidUpgradeTarget") or ()]
    return {row["EngineVersion"]: bool(row.get("IsMajorVersionUpgrade")) for row in rows}


def _orderable(aws: Aws, instance: Instance, region: str, target: str) -> bool:
    asked = {"Engine": "postgres", "EngineVersion": target, "DBInstanceClass": instance["DBInstanceClass"]}
    found = aws.client("rds", region=region).describe_orderable_db_instance_options(**asked)
    return bool(found["OrderableDBInstanceOptions"])


def _unknown(aws: Aws, asked: Question, version: str) -> list[str]:
    """Return the parameters that the family of the target does not have; nobody asks for the family that stands."""
    if version_of(version)[0] == version_of(asked.target)[0]:
        return []
    family = f"postgres{version_of(asked.target)[0]}"
    paginator = aws.client("rds").get_paginator("describe_engine_default_parameters")
    pages = paginator.paginate(DBParameterGroupFamily=family)
    known = {row["ParameterName"] for page in pages for row in page["EngineDefaults"]["Parameters"]}
    return sorted(set(asked.parameters) - known)
