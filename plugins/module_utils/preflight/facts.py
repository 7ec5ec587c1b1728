# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS knows about account, region and offers: a handful of reads, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from ..engine.aws import Aws, describe_error, error_code, is_aws_error, tag_dict
from ..engine.errors import EngineError
from ..readiness.standing import TAG_FENCED
from ..resources.rds_describe import describe
from .sleep import Sleep, look

ENGINE, STORAGE = "postgres", "gp3"
#: What to do about errors that carry no code, because AWS was not reached, by the name of botocore's exception.
MENDS = {
    "NoCredentialsError": "Sign in, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "PartialCredentialsError": "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "ProfileNotFound": "Set AWS_PROFILE to a profile of this machine.",
    "EndpointConnectionError": "Check platform_region, the network and AWS_ENDPOINT_URL.",
    "ConnectTimeoutError": "Check platform_region, the network and AWS_ENDPOINT_URL.",
    "SSLError": "Check the certificates of this machine and AWS_ENDPOINT_URL.",
}


class Unreadable(EngineError):
    """AWS could not be asked. The message says what was asked, where, and what to do."""


@dataclass(frozen=True)
class PairQuestion:
    """Whose database the pair's is.

    Attributes:
        identifier: that of the pair's instance.
        region: where it would be. That region may be down.
    """

    identifier: str
    region: str


@dataclass(frozen=True)
class SleepQuestion:
    """Which environment may sleep.

    Attributes:
        prefix: the start of its names.
        database: the identifier of its DB instance.
    """

    prefix: str
    database: str


@dataclass(frozen=True)
class PairDatabase:
    """The database of the pair as its region describes it.

    Attributes:
        answered: whether the region did.
        arn: empty if there is no instance, or one that is being deleted.
        source: what it follows; empty for one that is written to.
        fenced: whether it was taken off the network because the other side leads.
    """

    answered: bool = True
    arn: str = ""
    source: str = ""
    fenced: bool = False

    @property
    def leads(self) -> bool:
        """Whether it may be written to."""
        return bool(self.arn) and not self.source and not self.fenced

    def as_dict(self) -> dict[str, Any]:
        """Return it as the task's result shows it."""
        role = ("replica" if self.source else "primary") if self.arn else None
        return {"answered": self.answered, "arn": self.arn or None, "role": role, "source_arn": self.source or None}


@dataclass(frozen=True)
class Question:
    """What an inventory wants to know.

    Attributes:
        instance_types: those that nodes may have.
        engine_version: of PostgreSQL, with its minor version.
        classes: DB instance classes.
        pair: the database of the other side, for an environment that has one.
        sleeper: the names of an environment that may be hibernated.
    """

    instance_types: tuple[str, ...]
    engine_version: str
    classes: tuple[str, ...]
    pair: PairQuestion | None = None
    sleeper: SleepQuestion | None = None


@dataclass(frozen=True)
class DbClass:
    """A DB instance class as it can be ordered for the engine version on gp3.

    Attributes:
        zones: where.
        supports: what it can, in the words of DescribeOrderableDBInstanceOptions.
    """

    zones: frozenset[str]
    supports: frozenset[str]


@dataclass(frozen=True)
class Facts:
    """AWS's answers.

    Attributes:
        account_id: whose the credentials are.
        zone_ids: the region's availability zones that can be used, with the ids that all accounts share.
        type_zones: where each instance type is offered.
        cluster_versions: Kubernetes versions with their support, e.g. ``STANDARD_SUPPORT``.
        engine_versions: those of PostgreSQL: the wanted one if there is such, else all.
        classes: the wanted classes that can be ordered.
        pair: the database of the other side; None for an environment without one.
        sleep: how it sleeps; None for an environment that has to stay awake.
        principal_arn: who runs the play, as an access entry of EKS names it; empty for the account's root.
    """

    account_id: str
    zone_ids: Mapping[str, str]
    type_zones: Mapping[str, frozenset[str]] = field(default_factory=dict)
    cluster_versions: Mapping[str, str] = field(default_factory=dict)
    engine_versions: tuple[str, ...] = ()
    classes: Mapping[str, DbClass] = field(default_factory=dict)
    pair: PairDatabase | None = None
    sleep: Sleep | None = None
    principal_arn: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return what other tasks may want to know."""
        return {
            "account_id": self.account_id,
            "principal_arn": self.principal_arn,
            "zone_ids": dict(self.zone_ids),
            "cluster_versions": dict(self.cluster_versions),
            "pair": self.pair.as_dict() if self.pair else None,
            "hibernation": self.sleep.as_dict() if self.sleep else None,
        }


def read(aws: Aws, question: Question) -> Facts:
    """Ask AWS everything at once.

    Raises:
        Unreadable: naming each call that failed.
    """
    calls: dict[str, Callable[[], Any]] = {
        "sts:GetCallerIdentity": lambda: _caller(aws),
        "ec2:DescribeAvailabilityZones": lambda: _zone_ids(aws),
        "ec2:DescribeInstanceTypeOfferings": lambda: _type_zones(aws, question.instance_types),
        "eks:DescribeClusterVersions": lambda: _cluster_versions(aws),
        "rds:DescribeDBEngineVersions": lambda: _engine_versions(aws, question.engine_version),
        "rds:DescribeOrderableDBInstanceOptions": lambda: _classes(aws, question),
        "rds:DescribeDBInstances": lambda: _pair(aws, question.pair),
        "scheduler:GetSchedule": lambda: _sleep(aws, question.sleeper),
    }
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = {name: pool.submit(call) for name, call in calls.items()}
    failures = {name: future.exception() for name, future in futures.items() if future.exception()}
    if failures:
        raise Unreadable(_complaint(failures, aws.region))
    (account_id, principal_arn), *others = (future.result() for future in futures.values())
    return replace(Facts(account_id, *others), principal_arn=principal_arn)


def _caller(aws: Aws) -> tuple[str, str]:
    """Return the account, and who calls. A session is its role, whose path only IAM tells, if it does."""
    identity = aws.client("sts").get_caller_identity()
    account, arn = str(identity["Account"]), str(identity["Arn"])
    resource = arn.partition(f":{account}:")[2]
    kind, _slash, name = resource.partition("/")
    if kind == "assumed-role":
        role = name.partition("/")[0]
        try:
            return account, str(aws.client("iam").get_role(RoleName=role)["Role"]["Arn"])
        except Exception as error:
            if not is_aws_error(error):
                raise
            return account, f"arn:{aws.partition}:iam::{account}:role/{role}"
    return account, f"arn:{aws.partition}:iam::{account}:user/{name}" if kind == "user" else ""


def _complaint(failures: Mapping[str, BaseException | None], region: str) -> str:
    """Return one line for each different error, with all calls that it met."""
    calls_by_error: dict[str, list[str]] = {}
    for name, error in failures.items():
        if error is None or not (is_aws_error(error) or isinstance(error, EngineError)):
            raise error or AssertionError(name)
        mend = MENDS.get(type(error).__name__, "")
        text = f"{describe_error(error).rstrip('.')}. {mend}" if mend else describe_error(error)
        calls_by_error.setdefault(text, []).append(name)
    return "\n".join(f"{', '.join(names)} in {region}: {text}" for text, names in calls_by_error.items())


def _zone_ids(aws: Aws) -> dict[str, str]:
    listed = aws.client("ec2").describe_availability_zones()["AvailabilityZones"]
    usual = [zone for zone in listed if zone.get("ZoneType", "availability-zone") == "availability-zone"]
    return {zone["ZoneName"]: zone["ZoneId"] for zone in usual if zone["State"] != "unavailable"}


def _type_zones(aws: Aws, types: Iterable[str]) -> dict[str, frozenset[str]]:
    wanted = [{"Name": "instance-type", "Values": sorted(types)}]
    where: dict[str, set[str]] = {}
    for offer in aws.pages(
        "ec2",
        "describe_instance_type_offerings",
        "InstanceTypeOfferings",
        LocationType="availability-zone",
        Filters=wanted,
    ):
        where.setdefault(offer["InstanceType"], set()).add(offer["Location"])
    return {name: frozenset(zones) for name, zones in where.items()}


def _cluster_versions(aws: Aws) -> dict[str, str]:
    listed = aws.pages("eks", "describe_cluster_versions", "clusterVersions")
    return {version["clusterVersion"]: version["versionStatus"] for version in listed}


def _engine_versions(aws: Aws, wanted: str) -> tuple[str, ...]:
    """Ask for the one, since the whole list is long; only if there is no such one, for what there is instead."""
    listing = ("rds", "describe_db_engine_versions", "DBEngineVersions")
    found = aws.pages(*listing, Engine=ENGINE, EngineVersion=wanted) or aws.pages(*listing, Engine=ENGINE)
    return tuple(version["EngineVersion"] for version in found)


def _classes(aws: Aws, question: Question) -> dict[str, DbClass]:
    found = {}
    for name in question.classes:
        options = aws.pages(
            "rds",
            "describe_orderable_db_instance_options",
            "OrderableDBInstanceOptions",
            Engine=ENGINE,
            EngineVersion=question.engine_version,
            DBInstanceClass=name,
        )
        usable = [option for option in options if option["StorageType"] == STORAGE and option["Vpc"]]
        if usable:
            zones = {zone["Name"] for option in usable for zone in option["AvailabilityZones"]}
            supports = {key for option in usable for key, value in option.items() if value is True}
            found[name] = DbClass(frozenset(zones), frozenset(supports))
    return found


def _sleep(aws: Aws, asked: SleepQuestion | None) -> Sleep | None:
    return look(aws, asked.prefix, asked.database) if asked else None


def _pair(aws: Aws, asked: PairQuestion | None) -> PairDatabase | None:
    """Describe the database of the other side. A region that does not answer is no fault of the inventory."""
    if asked is None:
        return None
    try:
        instance = describe(aws, asked.identifier, region=asked.region, probe=True)
    except Exception as error:
        if not is_aws_error(error):
            raise
        if error_code(error):
            raise Unreadable(f"DB instance {asked.identifier} in {asked.region}: {describe_error(error)}") from error
        return PairDatabase(answered=False)
    if instance is None or instance["DBInstanceStatus"] == "deleting":
        return PairDatabase()
    fenced = TAG_FENCED in tag_dict(instance.get("TagList"))
    source = str(instance.get("ReadReplicaSourceDBInstanceIdentifier") or "")
    return PairDatabase(True, str(instance["DBInstanceArn"]), source, fenced)
