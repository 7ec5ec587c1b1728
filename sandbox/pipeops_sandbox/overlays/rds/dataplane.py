"""The seam between RDS's API and whatever answers on the endpoint of a DB instance.

The control plane here decides states, waits and refusals. A data plane only follows: it is told when something
happens to an instance, and asked where its endpoint is, whether it has finished, and how replication stands.
Hooks start work and return at once; ``ready`` tells when it is done, and until then the instance stays in
its phase (``creating``, ``rebooting``, ...), however short the clock's profile makes it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from .store import DbInstance, Snapshot

DEFAULT_PORT = 5432
Measurement = tuple[float, dict[str, float]]
"""Real time in seconds since 1970, and values by the name of CloudWatch's metric."""


@dataclass(frozen=True)
class Endpoint:
    """Where an instance answers, and the Route 53 zone that RDS names with it."""

    address: str
    port: int
    hosted_zone_id: str


@dataclass(frozen=True)
class ReplicationState:
    """What the replica's server says of replication. ``status`` as in ``StatusInfos``; ``message`` on error."""

    status: str
    message: str = ""


@dataclass(frozen=True)
class RestorePoint:
    """Where a restored instance's data come from.

    Attributes:
        resource_id: ``DbiResourceId`` of the instance whose data it was.
        snapshot: the snapshot's key, or empty for a point in time.
        at: model time to restore to.
    """

    resource_id: str
    snapshot: str
    at: float


class DataPlane(Protocol):
    """What a data plane does. Every hook gets the instance as it is at that moment."""

    def created(self, instance: DbInstance) -> None:
        """Begin a new, empty server with the instance's master user and password."""

    def replicating(self, instance: DbInstance, source: DbInstance) -> None:
        """Begin a physical replica of ``source``, which may be in another region."""

    def restored(self, instance: DbInstance, point: RestorePoint) -> None:
        """Begin a server with the data of a snapshot or a point in time."""

    def modified(self, instance: DbInstance) -> None:
        """Take over changed settings, dynamic parameters, security groups or password without a restart."""

    def rebooted(self, instance: DbInstance, failover: bool) -> None:
        """Restart the server with ``instance.in_force``; ``failover``: on its Multi-AZ standby."""

    def upgraded(self, instance: DbInstance) -> None:
        """Bring the server to the major version that the instance has now; a replica follows its source there."""

    def promoted(self, instance: DbInstance) -> None:
        """Make a replica writable and end its replication."""

    def detached(self, instance: DbInstance) -> None:
        """End a replica's replication without making it writable (its source is gone for good)."""

    def stopped(self, instance: DbInstance) -> None:
        """Stop the server and keep its data."""

    def started(self, instance: DbInstance) -> None:
        """Start a stopped server again."""

    def snapshotted(self, instance: DbInstance, snapshot: Snapshot) -> None:
        """Keep a copy of the data under the snapshot's ``data_of``."""

    def forgotten(self, snapshot: Snapshot) -> None:
        """Drop a snapshot's data: nothing refers to them any more."""

    def deleted(self, instance: DbInstance) -> None:
        """Stop the server and drop its data."""

    def ready(self, instance: DbInstance) -> bool:
        """Tell whether everything begun for the instance is done."""

    def endpoint(self, instance: DbInstance) -> Endpoint:
        """Return where the instance answers."""

    def replication(self, instance: DbInstance) -> ReplicationState | None:
        """Return how a replica's replication stands, or None to show what the control plane knows."""

    def measurements(self, instance: DbInstance) -> list[Measurement]:
        """Return what the server was seen to do lately, oldest first."""


HOSTED_ZONES = {"us-east-1": "Z2R2ITUGPM61AM", "us-west-2": "Z1PVIF0B656C1W"}
"""RDS's own hosted zones, which an alias record names; other regions get a made-up one of the same form."""


class NamedEndpoints:
    """The data plane when there are no servers: endpoints have AWS's names, and everything is done at once."""

    def created(self, instance: DbInstance) -> None:
        """Nothing runs behind the name."""

    def replicating(self, instance: DbInstance, source: DbInstance) -> None:
        """Nothing runs behind the name."""

    def restored(self, instance: DbInstance, point: RestorePoint) -> None:
        """Nothing runs behind the name."""

    def modified(self, instance: DbInstance) -> None:
        """Nothing runs behind the name."""

    def rebooted(self, instance: DbInstance, failover: bool) -> None:
        """Nothing runs behind the name."""

    def upgraded(self, instance: DbInstance) -> None:
        """Nothing runs behind the name."""

    def promoted(self, instance: DbInstance) -> None:
        """Nothing runs behind the name."""

    def detached(self, instance: DbInstance) -> None:
        """Nothing runs behind the name."""

    def stopped(self, instance: DbInstance) -> None:
        """Nothing runs behind the name."""

    def started(self, instance: DbInstance) -> None:
        """Nothing runs behind the name."""

    def snapshotted(self, instance: DbInstance, snapshot: Snapshot) -> None:
        """Nothing runs behind the name."""

    def forgotten(self, snapshot: Snapshot) -> None:
        """Nothing runs behind the name."""

    def deleted(self, instance: DbInstance) -> None:
        """Nothing runs behind the name."""

    def ready(self, instance: DbInstance) -> bool:
        """Nothing to wait for."""
        return True

    def endpoint(self, instance: DbInstance) -> Endpoint:
        """Return ``ID.HASH.REGION.rds.amazonaws.com``; the hash is one per account and region, as on AWS."""
        digest = hashlib.sha256(f"{instance.account}/{instance.region}".encode()).hexdigest()[:12]
        zone = HOSTED_ZONES.get(instance.region, "Z" + digest[:12].upper())
        address = f"{instance.identifier}.c{digest[:11]}.{instance.region}.rds.amazonaws.com"
        return Endpoint(address, int(instance.settings.get("Port", DEFAULT_PORT)), zone)

    def replication(self, instance: DbInstance) -> ReplicationState | None:
        """Leave it to the control plane."""
        return None

    def measurements(self, instance: DbInstance) -> list[Measurement]:
        """There is nothing to measure."""
        return []


class Plane:
    """Holds the data plane of this process. It is wiring, not state: it does not travel with a snapshot."""

    def __init__(self) -> None:
        self.active: DataPlane = NamedEndpoints()

    def install(self, plane: DataPlane) -> None:
        """Put another data plane behind RDS, before the first instance is made."""
        self.active = plane


plane = Plane()
