"""Quantities of Kubernetes, as whole numbers: thousandths of a CPU, MiB of memory."""

from __future__ import annotations

import math
from typing import Any

from .api import Object

_SUFFIXES = {
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
}  # fmt: skip
Amount = tuple[int, int]


def number(text: Any) -> float:
    """Return a quantity in its base unit, e.g. ``"500m"`` or ``"2Gi"``."""
    word = str(text)
    for suffix, factor in _SUFFIXES.items():
        if word.endswith(suffix):
            return float(word.removesuffix(suffix)) * factor
    return float(word)


def amount(resources: dict[str, Any]) -> Amount:
    """Return CPU and memory of a list of resources, rounded up."""
    cpu, memory = number(resources.get("cpu", 0)), number(resources.get("memory", 0))
    return math.ceil(round(cpu * 1000, 6)), math.ceil(memory / 2**20)


def requests(pod: Object) -> Amount:
    """Return what a pod asks for: all containers together, or the largest init container if that is more."""
    spec = pod["spec"]
    every = [amount(one.get("resources", {}).get("requests", {})) for one in spec["containers"]]
    init = [amount(one.get("resources", {}).get("requests", {})) for one in spec.get("initContainers", [])]
    overhead = amount(spec.get("overhead", {}))
    cpu = max([sum(one[0] for one in every), *(one[0] for one in init)]) + overhead[0]
    memory = max([sum(one[1] for one in every), *(one[1] for one in init)]) + overhead[1]
    return cpu, memory
