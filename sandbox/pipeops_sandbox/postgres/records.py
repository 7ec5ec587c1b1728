"""What the data plane keeps of each DB instance, beside its data: an address, a version, where its data came from."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeops_sandbox.overlays.rds.store import DbInstance
from pipeops_sandbox.state import write_atomically

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Spec:
    """An instance as it was when a hook was called: what the work in the background needs of it."""

    identifier: str
    region: str
    resource_id: str
    version: str
    username: str
    password: str
    database: str
    parameters: dict[str, str]
    archives: bool
    storage_gib: int

    @classmethod
    def of(cls, instance: DbInstance) -> Spec:
        """Take it from an instance."""
        settings = instance.settings
        return cls(
            identifier=instance.identifier,
            region=instance.region,
            resource_id=instance.resource_id,
            version=instance.engine_version,
            username=str(settings["MasterUsername"]),
            password=instance.master_password,
            database=str(settings.get("DBName") or ""),
            parameters=dict(instance.in_force),
            archives=bool(settings["BackupRetentionPeriod"]),
            storage_gib=int(settings["AllocatedStorage"]),
        )


@dataclass
class Record:
    """What is stored of a server.

    Attributes:
        address: its own loopback address, for as long as it lives.
        major: PostgreSQL's major version, which can differ from what the API says.
        source: resource id of the source that a replica follows, or empty.
        origin: where the data come from: ``created``, ``replica`` or ``restored``.
        point: of a restore: ``resource_id``, ``snapshot``, ``wall`` (real time to recover to, or 0).
        complete: whether the data directory is whole; what was cut short is begun again.
        running: whether the server is to run.
    """

    resource_id: str
    address: str
    major: int
    origin: str
    source: str = ""
    point: dict[str, Any] = field(default_factory=dict)
    complete: bool = False
    running: bool = True

    @property
    def slot(self) -> str:
        """Return the name of the replica's slot on its source."""
        return "rds_" + self.resource_id.lower().replace("-", "_")

    def save(self, directory: Path) -> None:
        """Write it to the server's directory."""
        write_atomically(directory / "record.json", json.dumps(asdict(self)).encode())


def stored(servers: Path) -> dict[str, Record]:
    """Return the records of all servers, by resource id."""
    found = {}
    for path in sorted(servers.glob("*/record.json")):
        record = Record(**json.loads(path.read_text("utf-8")))
        found[record.resource_id] = record
    return found
