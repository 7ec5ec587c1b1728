"""What the sandbox knows of RDS in one account and region. All of it is plain data, so it pickles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeops_sandbox.clock import Timeline
from pipeops_sandbox.runtime import runtime

Tags = list[dict[str, str]]
Settings = dict[str, Any]

LOG_INTERVAL = 300
"""Seconds between two uploads of transaction logs: what point-in-time restore may lose."""


def arn(region: str, account: str, kind: str, name: str) -> str:
    """Return the ARN of an RDS resource; ``kind`` is ``db``, ``snapshot``, ``pg``, ``subgrp``, ``es``, ..."""
    return f"arn:aws:rds:{region}:{account}:{kind}:{name}"


@dataclass
class Phase:
    """One stretch of an instance's life: the status it shows, for how long, and what is true at its end.

    Attributes:
        status: what DescribeDBInstances shows meanwhile.
        seconds: model seconds. The data plane may hold the phase longer, until it is ready.
        effect: name of the function in ``effects`` that runs at the end, or none.
        payload: arguments of the effect.
        reason: why the instance is in this phase, where others need to know (``seeding`` a replica, ...).
    """

    status: str
    seconds: float
    effect: str = ""
    payload: Settings = field(default_factory=dict)
    reason: str = ""


@dataclass
class Replication:
    """The replica's side of physical replication. ``status`` as in ``StatusInfos``."""

    source_arn: str
    status: str = "replicating"
    message: str = ""


@dataclass
class DbInstance:
    """A DB instance.

    Attributes:
        settings: members of the API's ``DBInstance`` that are in force, in AWS's spelling.
        pending: members of ``PendingModifiedValues`` that wait.
        pending_since: when the oldest of them was asked for; the maintenance window after it applies them.
        resting: the status once no phase is left (``available``, ``stopped``, ...).
        held: whether the data plane made the current phase last longer than its seconds.
        parameter_status: ``in-sync``, ``applying`` or ``pending-reboot``.
        parameters_settle_at: when changes within the group will have reached the server, or None.
        parameters_settle_as: the ``parameter_status`` from then on.
        in_force: parameters that differ from the family's defaults, as the server runs with them now.
    """

    account: str
    region: str
    identifier: str
    resource_id: str
    created_at: float
    settings: Settings
    parameter_group: str
    option_group: str
    subnet_group: str
    security_groups: list[str]
    master_password: str = ""
    tags: Tags = field(default_factory=list)
    pending: Settings = field(default_factory=dict)
    pending_since: float = 0.0
    phases: list[Phase] = field(default_factory=list)
    since: float = 0.0
    held: bool = False
    resting: str = "available"
    parameter_status: str = "in-sync"
    parameters_settle_at: float | None = None
    parameters_settle_as: str = "in-sync"
    in_force: dict[str, str] = field(default_factory=dict)
    replication: Replication | None = None
    replicas: list[str] = field(default_factory=list)
    reachable: bool = False
    storage_changed_at: float | None = None
    initialising_until: float = 0.0
    last_backup_at: float | None = None
    recoverable_from: float | None = None
    stopped_at: float | None = None
    promoting: bool = False

    @property
    def arn(self) -> str:
        """Return the instance's ARN; it changes with a rename, ``resource_id`` does not."""
        return arn(self.region, self.account, "db", self.identifier)

    @property
    def status(self) -> str:
        """Return the status as of the last settling."""
        return self.phases[0].status if self.phases else self.resting

    @property
    def engine_version(self) -> str:
        """Return e.g. ``16.13``."""
        return str(self.settings["EngineVersion"])

    @property
    def family(self) -> str:
        """Return the parameter group family of the version in force, e.g. ``postgres16``."""
        return "postgres" + self.engine_version.split(".")[0]


@dataclass
class ParameterGroup:
    """A DB parameter group: only what differs from its family. ``values``: name -> (value, apply method)."""

    name: str
    family: str
    description: str
    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    tags: Tags = field(default_factory=list)


@dataclass
class SubnetGroup:
    """A DB subnet group. ``subnets``: subnet id -> zone name."""

    name: str
    description: str
    vpc_id: str
    subnets: dict[str, str]
    tags: Tags = field(default_factory=list)


@dataclass
class OptionGroup:
    """An option group; PostgreSQL has no options that we need, so it holds none."""

    name: str
    major_version: str
    description: str
    tags: Tags = field(default_factory=list)


@dataclass
class Snapshot:
    """A DB snapshot. ``kind``: ``manual`` or ``automated``; done once ``started_at + seconds`` is over."""

    identifier: str
    instance_id: str
    resource_id: str
    kind: str
    started_at: float
    seconds: float
    settings: Settings
    instance_created_at: float
    source_arn: str = ""
    transient: bool = False
    master_password: str = ""
    data_of: str = ""
    tags: Tags = field(default_factory=list)

    def percent(self, now: float) -> int:
        """Return the progress at a model time, 0 to 100."""
        if now >= self.started_at + self.seconds:
            return 100
        return max(0, int(100 * (now - self.started_at) / self.seconds))

    def status(self, now: float) -> str:
        """Return ``creating`` or ``available``."""
        return "available" if self.percent(now) == 100 else "creating"


@dataclass
class AutomatedBackup:
    """Retained or replicated automated backups of an instance.

    Those of a living instance are derived from the instance; these here have a life of their own.
    ``state``: ``replicating`` (copy of a living instance in another region) or ``retained``.
    """

    identifier: str
    source_arn: str
    resource_id: str
    instance_id: str
    source_region: str
    state: str
    retention: int
    kms_key: str | None
    settings: Settings
    instance_created_at: float
    earliest: float
    latest: float
    ready_at: float = 0.0
    master_password: str = ""
    tags: Tags = field(default_factory=list)

    def window(self, now: float) -> tuple[float, float | None]:
        """Return the earliest and the latest model time to restore to; no latest before the first copy is complete.

        Logs arrive every five minutes while the source lives.
        """
        if self.state == "retained":
            return self.earliest, self.latest
        latest = now // LOG_INTERVAL * LOG_INTERVAL
        return self.earliest, max(latest, self.earliest) if now >= self.ready_at else None


@dataclass
class Subscription:
    """An event subscription.

    Attributes:
        states: what it goes through after the last change.
        trouble: the status that its topic has brought it into, which stays until the next change.
    """

    name: str
    topic: str
    source_type: str
    source_ids: list[str]
    categories: list[str]
    enabled: bool
    created_at: float
    tags: Tags = field(default_factory=list)
    states: Timeline | None = None
    trouble: str = ""


@dataclass
class Event:
    """A line of DescribeEvents."""

    at: float
    source_type: str
    source_id: str
    source_arn: str
    event_id: str
    message: str
    categories: list[str]


@dataclass
class RdsStore:
    """Everything of RDS in one account and region."""

    account: str
    region: str
    instances: dict[str, DbInstance] = field(default_factory=dict)
    parameter_groups: dict[str, ParameterGroup] = field(default_factory=dict)
    subnet_groups: dict[str, SubnetGroup] = field(default_factory=dict)
    option_groups: dict[str, OptionGroup] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    backups: dict[str, AutomatedBackup] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    defaults: dict[str, Tags] = field(default_factory=dict)
    counter: int = 0

    def next_number(self) -> int:
        """Return a number not given before, the seed of ids."""
        self.counter += 1
        return self.counter


def store_of(account: str, region: str) -> RdsStore:
    """Return RDS's state in one account and region."""
    return runtime.store("rds", account, region, lambda: RdsStore(account, region))


def stores_of(account: str) -> Iterator[RdsStore]:
    """Return RDS's state in every region that the account has used."""
    for (service, owner, _region), state in list(runtime.stores.items()):
        if service == "rds" and owner == account:
            yield state


def find_instance(instance_arn: str) -> DbInstance | None:
    """Return the instance with an ARN, in whatever region, or None."""
    _arn, _partition, _rds, region, account, _db, identifier = instance_arn.split(":", 6)
    return store_of(account, region).instances.get(identifier)


def all_instances(account: str) -> list[DbInstance]:
    """Return the instances of an account in all regions."""
    return [instance for store in stores_of(account) for instance in store.instances.values()]
