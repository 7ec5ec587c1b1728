"""EC2 instance types as nodes: what they have, and what requirements say of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

PODS_PER_NODE = 110
_TYPE = re.compile(r"(?P<category>[a-z]+)(?P<generation>\d+)(?P<rest>[a-z0-9-]*)\.(?P<size>[a-z0-9-]+)")
_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}


@dataclass(frozen=True)
class Machine:
    """An instance type. ``memory`` is in MiB."""

    name: str
    cpu: int
    memory: int
    architecture: str
    category: str
    family: str
    generation: int
    size: str

    @property
    def labels(self) -> dict[str, str]:
        """The labels that Auto Mode puts on a node of this type."""
        return {
            "node.kubernetes.io/instance-type": self.name,
            "beta.kubernetes.io/instance-type": self.name,
            "kubernetes.io/arch": self.architecture,
            "eks.amazonaws.com/instance-category": self.category,
            "eks.amazonaws.com/instance-family": self.family,
            "eks.amazonaws.com/instance-generation": str(self.generation),
            "eks.amazonaws.com/instance-size": self.size,
            "eks.amazonaws.com/instance-cpu": str(self.cpu),
            "eks.amazonaws.com/instance-memory": str(self.memory),
        }

    @property
    def reserved(self) -> tuple[int, int]:
        """What the system keeps of it: thousandths of a CPU, MiB."""
        return 80, 255 + 11 * min(PODS_PER_NODE, 29)

    @property
    def allocatable(self) -> tuple[int, int]:
        """What pods can have of it: thousandths of a CPU, MiB."""
        cpu, memory = self.reserved
        return self.cpu * 1000 - cpu, self.memory - memory


@cache
def machines() -> tuple[Machine, ...]:
    """Return the types that Auto Mode takes, above small and with more than one vCPU; the smallest first."""
    found = (_machine(name, facts) for name, facts in INSTANCE_TYPES.items())
    fit = [one for one in found if one and one.cpu > 1 and one.size not in ("nano", "micro", "small", "metal")]
    return tuple(sorted(fit, key=lambda one: (one.cpu, one.memory, one.name)))


@cache
def machine(name: str) -> Machine:
    """Return a type by its name; one that nobody knows counts as a large one.

    A managed node group can have a type that the table lacks.
    """
    found = _machine(name, INSTANCE_TYPES[name]) if name in INSTANCE_TYPES else None
    family, _, size = name.partition(".")
    return found or Machine(name, 2, 8192, "amd64", family[:1], family, 1, size)


def _machine(name: str, facts: dict[str, Any]) -> Machine | None:
    parts = _TYPE.fullmatch(name)
    supported = facts.get("ProcessorInfo", {}).get("SupportedArchitectures", [])
    architecture = next((_ARCHITECTURES[one] for one in supported if one in _ARCHITECTURES), "")
    if parts is None or not architecture:
        return None
    cpu, memory = facts["VCpuInfo"]["DefaultVCpus"], facts["MemoryInfo"]["SizeInMiB"]
    return Machine(
        name, int(cpu), int(memory), architecture, parts["category"], name.partition(".")[0],
        int(parts["generation"]), parts["size"],
    )  # fmt: skip


def satisfies(labels: dict[str, str], requirement: dict[str, Any]) -> bool:
    """Tell whether labels satisfy a requirement of a NodePool or of a node affinity."""
    key, operator = str(requirement["key"]), str(requirement["operator"])
    values = [str(value) for value in requirement.get("values", [])]
    value = labels.get(key)
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) == (operator == "Exists")
    if operator == "NotIn":
        return value not in values
    if value is None:
        return False
    if operator == "In":
        return value in values
    left, right = int(value), int(values[0])
    return left > right if operator == "Gt" else operator == "Lt" and left < right
