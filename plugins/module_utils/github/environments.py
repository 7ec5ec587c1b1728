# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environments of a repository: who approves, from which branches, with which variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: A reviewer as people name one, ``user:alice`` or ``team:platform``, and as GitHub numbers it.
Reviewers = Mapping[str, tuple[str, int]]
REVIEWERS_MOST = 6


@dataclass(frozen=True)
class Environment:
    """An environment, wanted or observed. Of what is wanted, None leaves as it is what stands.

    Attributes:
        reviewers: one of them has to approve; empty if nobody has to.
        branches, tags: patterns of those that may use it; any may if both are empty.
        variables: those that jobs read; wanted ones are added to what others have set.
    """

    reviewers: tuple[str, ...] | None = None
    prevent_self_review: bool | None = None
    wait_minutes: int | None = None
    branches: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    variables: Mapping[str, str] | None = None

    @property
    def refs(self) -> frozenset[tuple[str, str]]:
        """The patterns, each with what it is of."""
        return frozenset(
            [*(("branch", name) for name in self.branches or ()), *(("tag", name) for name in self.tags or ())]
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as a person reads it."""
        return {
            "reviewers": sorted(self.reviewers or ()),
            # GitHub has it with the reviewers, and nothing of it without any.
            "prevent_self_review": bool(self.prevent_self_review and self.reviewers),
            "wait_minutes": self.wait_minutes or 0,
            "branches": sorted(self.branches or ()),
            "tags": sorted(self.tags or ()),
            "variables": dict(sorted((self.variables or {}).items())),
        }


@dataclass(frozen=True)
class Standing:
    """What GitHub says of an environment.

    Attributes:
        policies: the number of each pattern.
        protected: whether it is open to protected branches, instead of patterns.
    """

    environment: Environment
    policies: Mapping[tuple[str, str], int]
    protected: bool


def observed(
    answer: Mapping[str, Any], policies: Sequence[Mapping[str, Any]], variables: Sequence[Mapping[str, Any]]
) -> Standing:
    """Return what GitHub says, from its three answers."""
    rules = {str(rule["type"]): rule for rule in answer.get("protection_rules") or []}
    approval = rules.get("required_reviewers", {})
    policy = answer.get("deployment_branch_policy") or {}
    numbers = {(str(one.get("type", "branch")), str(one["name"])): int(one["id"]) for one in policies}
    found = Environment(
        tuple(_reviewer(one) for one in approval.get("reviewers") or []),
        bool(approval.get("prevent_self_review")),
        int(rules.get("wait_timer", {}).get("wait_timer", 0)),
        tuple(name for kind, name in numbers if kind == "branch"),
        tuple(name for kind, name in numbers if kind == "tag"),
        {str(one["name"]): str(one["value"]) for one in variables},
    )
    return Standing(found, numbers, bool(policy.get("protected_branches")))


def _reviewer(one: Mapping[str, Any]) -> str:
    kind, who = str(one["type"]), one["reviewer"]
    return f"user:{who['login']}" if kind == "User" else f"team:{who['slug']}"


def merged(standing: Environment, wanted: Environment) -> Environment:
    """Return what has to stand: what is wanted, and of what nobody has named, what stands."""

    def either(want: Any, have: Any) -> Any:
        return have if want is None else want

    return Environment(
        either(wanted.reviewers, standing.reviewers),
        either(wanted.prevent_self_review, standing.prevent_self_review),
        either(wanted.wait_minutes, standing.wait_minutes),
        either(wanted.branches, standing.branches),
        either(wanted.tags, standing.tags),
        {**(standing.variables or {}), **(wanted.variables or {})},
    )


def body(target: Environment, numbers: Reviewers, protected: bool = False) -> dict[str, Any]:
    """Return what is sent for an environment itself; branches and variables are sent one by one.

    Args:
        target: what has to stand.
        numbers: of each of its reviewers, what GitHub calls it.
        protected: whether it stays open to protected branches, because nobody has named patterns.
    """
    pairs = [numbers[name] for name in sorted(target.reviewers or ())]
    limited = {"protected_branches": protected, "custom_branch_policies": not protected}
    return {
        "wait_timer": target.wait_minutes or 0,
        "prevent_self_review": bool(target.prevent_self_review),
        "reviewers": [{"type": kind, "id": number} for kind, number in pairs] or None,
        "deployment_branch_policy": limited if protected or target.refs else None,
    }
