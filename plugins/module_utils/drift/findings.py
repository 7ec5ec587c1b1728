# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs from the inventory, from the results of the layers: changed, missing, unmanaged. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Category = Literal["changed", "missing", "unmanaged"]
CATEGORIES: tuple[Category, ...] = ("changed", "missing", "unmanaged")
_OF_VERB: Mapping[str, Category] = {
    "create": "missing",
    "update": "changed",
    "replace": "changed",
    "delete": "unmanaged",
}


@dataclass(frozen=True)
class Finding:
    """One resource that is not as the inventory says.

    Attributes:
        category: ``changed``, ``missing``, or ``unmanaged``: it carries the owner tags, and no layer wants it.
        kind, name: as the layer calls it; for what no layer knows, its service and type, and its last name.
        id: AWS's identifier; empty for what is missing.
        differences: the attributes that changed, each with what is wanted and what is found.
        heals: whether a run of ``site.yml`` mends it.
        interrupts: what that interrupts.
    """

    category: Category
    kind: str
    name: str
    label: str
    id: str = ""
    arn: str = ""
    differences: Sequence[Mapping[str, Any]] = ()
    heals: bool = True
    interrupts: str = ""
    who: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as the result and the report carry it."""
        return {
            "category": self.category,
            "kind": self.kind,
            "name": self.name,
            "label": self.label,
            "id": self.id,
            "arn": self.arn,
            "differences": list(self.differences),
            "heals": self.heals,
            "interrupts": self.interrupts,
            "who": dict(self.who),
        }


def findings_of(layers: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Return what the layers of an environment found, one finding for each resource.

    Args:
        layers: their results in a dry run, or in a run that healed.
    """
    found: dict[tuple[str, str], Finding] = {}
    for layer in layers:
        ids = {(item["kind"], item["name"]): item for item in layer.get("resources") or []}
        for action in (*(layer.get("earlier") or ()), *(layer.get("actions") or ())):
            key = (action["kind"], action["name"])
            new = _of_action(action, ids.get(key, {}))
            found[key] = _merged(found[key], new) if key in found else new
        for item in layer.get("unmanaged") or []:
            key = (item["kind"], item["name"])
            found.setdefault(key, Finding("unmanaged", *key, item["kind"], item["id"] or "", heals=False))
    return sorted(found.values(), key=lambda item: (CATEGORIES.index(item.category), item.kind, item.name))


def _of_action(action: Mapping[str, Any], standing: Mapping[str, Any]) -> Finding:
    category = _OF_VERB[action["verb"]]
    # What is made has an identifier only if somebody has made it since.
    known = {} if category == "missing" else standing
    differences = [] if category == "missing" else [_turned(item) for item in action["differences"]]
    return Finding(
        category,
        action["kind"],
        action["name"],
        action["label"],
        str(action["id"] or known.get("id") or ""),
        str(known.get("arn") or ""),
        differences,
        interrupts=action["interrupts"],
    )


def _turned(difference: Mapping[str, Any]) -> dict[str, Any]:
    """Return a difference as drift: what the run would change it to is what is wanted."""
    return {"attribute": difference["attribute"], "wanted": difference["after"], "found": difference["before"]}


def _merged(one: Finding, other: Finding) -> Finding:
    interrupts = "; ".join(dict.fromkeys(filter(None, (one.interrupts, other.interrupts))))
    category = "missing" if "missing" in (one.category, other.category) else one.category
    return Finding(
        category,
        one.kind,
        one.name,
        one.label,
        one.id or other.id,
        one.arn or other.arn,
        [] if category == "missing" else [*one.differences, *other.differences],
        interrupts=interrupts,
    )


def claimed(layers: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the identifiers and ARNs of everything that a layer knows."""
    known: set[str] = set()
    for layer in layers:
        for part in ("resources", "unmanaged", "actions", "earlier"):
            for item in layer.get(part) or []:
                known.update(str(item[name]) for name in ("id", "arn") if item.get(name))
    return known
