# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run did or would do, as data: collected task by task, and turned into tables for people."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .cost.plan import with_price

SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-"}
STYLES = {"create": "green", "update": "yellow", "replace": "magenta", "delete": "red"}


@dataclass
class HostRecord:
    """One environment's part of a run.

    Attributes:
        tasks: each changed (task, item), in order.
        actions: the actions of all layers, in order.
        document: the environment's outputs, if the run got that far.
        addons: the add-ons of its cluster as they stand, if the run looked.
        later: what an ordinary run would do after one that takes over what others made.
        left_alone: what such a run found and did not take over.
    """

    name: str
    started: float = field(default_factory=time.monotonic)
    ended: float = field(default_factory=time.monotonic)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    unmanaged: list[dict[str, Any]] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    addons: list[dict[str, Any]] = field(default_factory=list)
    later: list[dict[str, Any]] = field(default_factory=list)
    left_alone: list[dict[str, Any]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.ended - self.started

    def add(self, task: str, item: str | None, result: Mapping[str, Any]) -> None:
        """Take in the result of a task, or of one item of its loop."""
        self.ended = time.monotonic()
        if result.get("changed"):
            self.tasks.append({"task": task, "item": item})
        region = str(result.get("region") or "")
        actions = (action for action in result.get("actions") or [] if "verb" in action)
        self.actions.extend({**with_price(action, region), "task": task} for action in actions)
        self.unmanaged.extend(result.get("unmanaged") or [])
        if "left_alone" in result:
            self.later.extend({**with_price(action, region), "task": task} for action in result["deferred"])
            self.left_alone.extend(result["left_alone"])
        outputs = result.get("outputs")
        if isinstance(outputs, Mapping) and isinstance(outputs.get("document"), Mapping):
            self.document = dict(outputs["document"])
        if isinstance(outputs, Mapping) and isinstance(outputs.get("addons"), list):
            self.addons = list(outputs["addons"])

    def counts(self) -> dict[str, int]:
        """Return how many actions there are of each verb."""
        return {verb: sum(action["verb"] == verb for action in self.actions) for verb in SIGNS}

    def as_dict(self) -> dict[str, Any]:
        """Return it as the JSON file carries it."""
        return {
            "changed": self.tasks,
            "actions": self.actions,
            "unmanaged": self.unmanaged,
            "addons": self.addons,
            "later": self.later,
            "left_alone": self.left_alone,
            "totals": self.counts(),
            "seconds": round(self.seconds, 1),
        }


def totals_line(counts: Mapping[str, int], check_mode: bool) -> str:
    """Return the sentence under a plan, e.g. ``3 to create, 1 to change, 0 to delete``."""
    words = (
        ("to create", "to change", "to replace", "to delete")
        if check_mode
        else (
            "created",
            "changed",
            "replaced",
            "deleted",
        )
    )
    shown = [
        f"{counts[verb]} {word}" for verb, word in zip(SIGNS, words, strict=True) if counts[verb] or verb != "replace"
    ]
    return ", ".join(shown)


def duration(seconds: float) -> str:
    """Return seconds as people say them: ``45 s``, ``12 min``, ``30 days``."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def effect(action: Mapping[str, Any]) -> str:
    """Return what an action means for those who use the resource."""
    parts = [f"interrupts {action['interrupts']}"] if action["interrupts"] else []
    if not action["reversible"]:
        parts.append("cannot be undone")
    return "; ".join(parts)


def changed_attributes(action: Mapping[str, Any]) -> str:
    """Return what a change in place changes, short enough for a line."""
    if action["verb"] == "create":
        return ""
    return ", ".join(_change(difference) for difference in action["differences"])


def _change(difference: Mapping[str, Any]) -> str:
    before, after = difference["before"], difference["after"]
    if any(isinstance(value, (list, dict)) for value in (before, after)):
        return str(difference["attribute"])
    return f"{difference['attribute']} {before} → {after}"


def summary_rows(document: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Return what stands where, line by line, from an environment's outputs."""
    outputs = document.get("outputs", {})
    for part, describe in (
        ("network", _network),
        ("cluster", _cluster),
        ("database", _database),
        ("dns", _dns),
        ("state", _state),
    ):
        if outputs.get(part):
            yield part, describe(outputs[part])


def addon_lines(addons: Iterable[Mapping[str, Any]]) -> str:
    """Return a line for each add-on: chart, versions, and how it stands."""
    return "\n".join(
        f"{addon['release']}  {addon['chart']} {addon['version']} ({addon['app_version']}), "
        + ("ready" if addon["ready"] else "; ".join(addon["unready"]) or addon["status"])
        for addon in addons
    )


def _network(part: Mapping[str, Any]) -> str:
    ips = part.get("nat_public_ips") or []
    egress = f", egress {', '.join(ips)}" if ips else ""
    return f"{part['vpc_id']}  {part['vpc_cidr']}, {len(part['zones'])} zones, NAT {part['nat']}{egress}"


def _cluster(part: Mapping[str, Any]) -> str:
    nodes = part["nodes"]
    bounds = f"{nodes['minimum']}-{nodes['maximum']} nodes ({', '.join(nodes['instance_types'])})"
    return f"{part['cluster_name']}  Kubernetes {part['version']}, {bounds}\n{part['endpoint']}"


def _database(part: Mapping[str, Any]) -> str:
    if part.get("role") == "replica":
        return _replica(part["replica"]) if part.get("replica") else "none yet: its pair has published no primary"
    primary = part["primary"]
    replicas = [f"\nread replica in {item['availability_zone']}: {item['endpoint']}" for item in part["replicas"]]
    return f"{_instance(primary)}{''.join(replicas)}"


def _replica(replica: Mapping[str, Any]) -> str:
    region, source = (replica["source_arn"].split(":")[part] for part in (3, 6))
    return f"{_instance(replica)}\nreplica of {source} in {region}"


def _instance(instance: Mapping[str, Any]) -> str:
    zones = "Multi-AZ" if instance["multi_az"] else "Single-AZ"
    head = f"{instance['identifier']}  PostgreSQL {instance['engine_version']}, {instance['instance_class']}, {zones}"
    return f"{head}\n{instance['endpoint']}:{instance['port']}"


def _dns(part: Mapping[str, Any]) -> str:
    joined = f"\nresolves {part['service']['zone_name']} too" if part.get("service") else ""
    return f"{part['zone_name']}  {', '.join(part['records'].values())}".rstrip() + joined


def _state(part: Mapping[str, Any]) -> str:
    return f"s3://{part['bucket']}  lock table {part['lock_table']}"
