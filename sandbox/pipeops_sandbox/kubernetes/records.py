"""What is kept of each cluster beside its data, so that a new process finds it again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeops_sandbox.state import write_atomically

FILE = "cluster.json"


@dataclass(frozen=True)
class Record:
    """One cluster's.

    Attributes:
        id: the 32 digits that AWS has in endpoints; it names the directory.
        address: of the endpoint, on loopback.
        issuer: of service account tokens.
    """

    id: str
    region: str
    name: str
    address: str
    issuer: str

    def save(self, directory: Path) -> None:
        """Write it to the cluster's directory."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(directory / FILE, json.dumps(asdict(self)).encode())


def stored(clusters: Path) -> dict[str, Record]:
    """Return the records below a directory, by the cluster's id."""
    found = [Record(**json.loads(path.read_text("utf-8"))) for path in clusters.glob(f"*/{FILE}")]
    return {record.id: record for record in found}
