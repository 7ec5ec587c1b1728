# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks for and against an upgrade. Pure: from facts to findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .facts import Facts

#: A finding that stops the upgrade, one that somebody should know, and one that is well.
BLOCKER, WARNING, NOTE = "blocker", "warning", "note"
#: Minor versions that a kubelet may be behind its API server (Kubernetes version skew policy).
SKEW = 3
#: Addresses that an upgrade takes in the subnets of the cluster (EKS user guide, "update-cluster").
ADDRESSES = 5
#: What nobody can accept, since EKS, Kubernetes, RDS or PostgreSQL refuses it, or a database would be lost.
FIRM = frozenset({"version", "cluster", "node groups", "kubelets"}) | frozenset(
    {"role", "instance", "replication", "class", "parameters", "slots", "prepared", "types", "invalid"}
)


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        id: what it is accepted by, e.g. ``budget/monitoring/prometheus``.
        text: a sentence for people.
        mend: what to do about it; empty if nothing has to be done.
    """

    id: str
    level: str
    text: str
    mend: str = ""

    @property
    def firm(self) -> bool:
        """Whether it stays a blocker, whatever people accept."""
        return self.id.partition("/")[0] in FIRM

    def as_dict(self) -> dict[str, str]:
        """Return it as the task's result."""
        return {"name": self.id, "level": self.level, "text": self.text, "mend": self.mend}


def minor(version: str) -> int:
    """Return the minor number of a version such as ``1.36``."""
    return int(version.split(".")[1])


def assess(facts: Facts, wanted: Mapping[str, str], accepted: Collection[str] = ()) -> list[Finding]:
    """Return everything that was found; what somebody has accepted is a warning instead of a blocker.

    Args:
        wanted: the version that each listed add-on gets on the target.
        accepted: ids of findings.
    """
    parts: tuple[Iterable[Finding], ...] = (_version(facts), _cluster(facts))
    if minor(facts.target) - minor(facts.version) in (0, 1):
        more = (_support(facts), _insights(facts), _addons(facts, wanted), _groups(facts), _subnets(facts))
        parts = (*parts, *more, _inside(facts))
    found = [finding for part in parts for finding in part]
    return settled(found, accepted)


def settled(found: Iterable[Finding], accepted: Collection[str]) -> list[Finding]:
    """Return findings with those that somebody has accepted as warnings."""
    return [_accepted(one) if one.id in accepted and not one.firm else one for one in found]


def _accepted(finding: Finding) -> Finding:
    text = f"{finding.text} Accepted by upgrade_accept."
    return replace(finding, level=WARNING, text=text) if finding.level == BLOCKER else finding


def _version(facts: Facts) -> Iterator[Finding]:
    step = minor(facts.target) - minor(facts.version)
    inventory = "Set eks_version in the inventory"
    if step < 0:
        yield Finding(
            "version",
            BLOCKER,
            f"{facts.name} runs Kubernetes {facts.version}, and {facts.target} would be a step back.",
            f"{inventory} to {facts.version}. EKS rolls an upgrade back within 7 days, if at all, by its own console.",
        )
    elif step > 1:
        yield Finding(
            "version",
            BLOCKER,
            f"{facts.name} runs Kubernetes {facts.version}, and EKS goes up one minor version at a time, not to "
            f"{facts.target}.",
            f"{inventory} to 1.{minor(facts.version) + 1}, run this playbook, then go on from there.",
        )
    elif not facts.offered:
        yield Finding("version", BLOCKER, f"EKS does not offer Kubernetes {facts.target} here.", f"{inventory} anew.")


def _cluster(facts: Facts) -> Iterator[Finding]:
    status = facts.cluster["status"]
    if status not in ("ACTIVE", "UPDATING"):
        yield Finding("cluster", BLOCKER, f"{facts.name} is {status}.", "Mend the cluster first.")
    for issue in facts.cluster.get("health", {}).get("issues", []):
        code, said = issue.get("code"), issue.get("message")
        yield Finding(f"health/{code}", BLOCKER, f"{facts.name} is not well: {code}: {said}", "Mend that first.")


def _support(facts: Facts) -> Iterator[Finding]:
    if not facts.offered:
        return
    standard, extended = (
        str(facts.offered.get(f"endOf{kind}SupportDate", "unknown"))[:10] for kind in ("Standard", "Extended")
    )
    text = f"Standard support of Kubernetes {facts.target} ends on {standard}, extended support on {extended}."
    if facts.offered.get("versionStatus") == "STANDARD_SUPPORT":
        yield Finding("support", NOTE, text)
        return
    mend = "Plan the next upgrade soon: the control plane costs six times as much meanwhile."
    yield Finding("support", WARNING, f"{text} It is out of standard support already.", mend)


def _insights(facts: Facts) -> Iterator[Finding]:
    levels = {"ERROR": BLOCKER, "PASSING": NOTE}
    for insight in facts.insights:
        status = insight["insightStatus"]
        level = levels.get(status["status"], WARNING)
        said = f"EKS says of {insight['name']!r}: {status['status']}: {str(status.get('reason', '')).rstrip('.')}."
        details = " ".join(_deprecations(insight))
        mend = str(insight.get("recommendation", "")) if level != NOTE else ""
        yield Finding(f"insight/{insight['name']}", level, f"{said} {details}".rstrip(), mend)


def _deprecations(insight: Mapping[str, Any]) -> Iterator[str]:
    for detail in (insight.get("categorySpecificSummary") or {}).get("deprecationDetails") or ():
        who = ", ".join(str(client.get("userAgent")) for client in detail.get("clientStats") or ())
        instead = f", instead of which there is {detail['replacedWith']}" if detail.get("replacedWith") else ""
        yield f"{detail.get('usage')} is used{f' by {who}' if who else ''}{instead}."


def _addons(facts: Facts, wanted: Mapping[str, str]) -> Iterator[Finding]:
    for name, (standing, offered) in sorted(facts.addons.items()):
        version = wanted.get(name, standing)
        if version not in offered:
            mend = f"Set its version to default, latest or one of {', '.join(offered)}." if offered else "Take it away."
            whose = "" if name in wanted else " Nobody lists it in eks_cluster_addons."
            text = f"The add-on {name} {version} does not run on Kubernetes {facts.target}.{whose}"
            yield Finding(f"addon/{name}", BLOCKER, text, mend)
        elif version != standing:
            yield Finding(f"addon/{name}", NOTE, f"The add-on {name} goes from {standing} to {version}.")


def _groups(facts: Facts) -> Iterator[Finding]:
    if facts.target == facts.version:
        return
    for name, version in sorted(facts.groups.items()):
        if version != facts.version:
            yield Finding(
                f"node groups/{name}",
                BLOCKER,
                f"The node group {name} runs Kubernetes {version}, the control plane {facts.version}, and EKS wants "
                "them alike before the control plane goes on.",
                f"Set eks_version to {facts.version} and run this playbook, which moves its nodes.",
            )


def _subnets(facts: Facts) -> Iterator[Finding]:
    short = {name: count for name, count in facts.free_addresses.items() if count < ADDRESSES}
    for name, count in sorted(short.items()):
        text = f"The subnet {name} has {count} free addresses, and an upgrade takes up to {ADDRESSES}."
        yield Finding(f"subnet/{name}", BLOCKER, text, "Free some, or widen it.")


def _inside(facts: Facts) -> Iterator[Finding]:
    if facts.inside is None:
        text = "Nodes, disruption budgets and APIs in use were not looked at: the API server was not asked."
        mend = "Run this where it is reached, with platform_kubernetes_enabled true."
        yield Finding("inside", WARNING, text, mend)
        return
    for what, why in facts.inside.untold.items():
        yield Finding(f"untold/{what}", WARNING, f"Nobody told of {what}: {why}")
    yield from _nodes(facts)
    for budget in facts.inside.blocked:
        yield Finding(
            f"budget/{budget}",
            BLOCKER,
            f"The disruption budget {budget} lets no pod go now, so nodes under its pods are not replaced.",
            "Raise the replicas, heal the pods, or loosen the budget.",
        )
    for api, release in facts.inside.old_apis.items():
        goes = minor(release) <= minor(facts.target)
        text = f"{api} is in use, and Kubernetes {release} removes it."
        mend = "Find who asks for it in the audit log, and move that to the newer version."
        yield Finding(f"api/{api}", BLOCKER if goes else WARNING, text, mend)


def _nodes(facts: Facts) -> Iterator[Finding]:
    nodes = facts.inside.nodes if facts.inside else ()
    for node in nodes:
        if minor(facts.target) - minor(node.version) > SKEW:
            text = f"The node {node.name} runs {node.version}, too old for an API server of {facts.target}."
            yield Finding(f"kubelets/{node.name}", BLOCKER, text, "Replace it first.")
        elif not node.owner and node.version != facts.target:
            text = f"The node {node.name} runs {node.version}, and neither a node pool nor a node group renews it."
            yield Finding(f"node/{node.name}", WARNING, text, "Replace it yourself after the upgrade.")
    behind = sum(node.version != facts.target for node in nodes)
    yield Finding("nodes", NOTE, f"{behind} of {len(nodes)} nodes run another version than {facts.target}.")
