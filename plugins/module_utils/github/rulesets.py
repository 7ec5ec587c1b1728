# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rulesets: what is wanted of one, how what stands differs, and what to send."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Ruleset:
    """A ruleset, wanted or observed.

    Attributes:
        include, exclude: refs, e.g. ``refs/heads/main``.
        rules: each with a type, and parameters if it has any. Parameters that nobody names are free.
    """

    name: str
    target: str = "branch"
    enforcement: str = "active"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    bypass_actors: tuple[Mapping[str, Any], ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Return it as a person reads it, everything in an order of its own."""
        return {
            "name": self.name,
            "target": self.target,
            "enforcement": self.enforcement,
            "include": sorted(self.include),
            "exclude": sorted(self.exclude),
            "rules": sorted((_plain(rule) for rule in self.rules), key=_order),
            "bypass_actors": sorted((dict(one) for one in self.bypass_actors), key=_order),
        }

    def body(self) -> dict[str, Any]:
        """Return it as GitHub takes it."""
        told = self.as_dict()
        refs = {"include": told.pop("include"), "exclude": told.pop("exclude")}
        return {**told, "conditions": {"ref_name": refs}}


def observed(answer: Mapping[str, Any]) -> Ruleset:
    """Return what GitHub says of a ruleset."""
    refs = (answer.get("conditions") or {}).get("ref_name") or {}
    return Ruleset(
        str(answer["name"]),
        str(answer.get("target", "branch")),
        str(answer["enforcement"]),
        tuple(refs.get("include") or ()),
        tuple(refs.get("exclude") or ()),
        tuple(answer.get("rules") or ()),
        tuple(answer.get("bypass_actors") or ()),
    )


def merged(standing: Ruleset | None, wanted: Ruleset) -> Ruleset:
    """Return what has to stand: what is wanted, and what stands of the parameters that nobody has named."""
    if standing is None:
        return wanted
    known = {str(rule["type"]): rule for rule in standing.rules}
    rules = tuple(_merged_rule(known.get(str(rule["type"]), {}), rule) for rule in wanted.rules)
    return Ruleset(
        wanted.name, wanted.target, wanted.enforcement, wanted.include, wanted.exclude, rules, wanted.bypass_actors
    )


def _merged_rule(standing: Rule, wanted: Rule) -> Rule:
    named = {key: value for key, value in (wanted.get("parameters") or {}).items() if value is not None}
    parameters = {**(standing.get("parameters") or {}), **named}
    for key, value in named.items():
        parameters[key] = _filled((standing.get("parameters") or {}).get(key), value)
    return {"type": wanted["type"], **({"parameters": parameters} if parameters else {})}


def _filled(standing: Any, wanted: Any) -> Any:
    """Return a list of checks and the like as it stands, if it only says more of each than what is wanted."""
    if not isinstance(wanted, list) or not isinstance(standing, list) or len(wanted) != len(standing):
        return wanted
    pairs = list(zip(sorted(standing, key=_order), sorted(wanted, key=_order), strict=True))
    return standing if all(_says(have, want) for have, want in pairs) else wanted


def _says(standing: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(standing, Mapping):
        return all(standing.get(key) == value for key, value in wanted.items() if value is not None)
    return bool(standing == wanted)


def _plain(rule: Rule) -> dict[str, Any]:
    parameters = rule.get("parameters")
    return {"type": rule["type"], **({"parameters": _sorted(parameters)} if parameters else {})}


def _sorted(value: Any) -> Any:
    """Return a value with its lists in order: GitHub keeps them as sets."""
    if isinstance(value, Mapping):
        return {key: _sorted(item) for key, item in sorted(value.items())}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sorted((_sorted(item) for item in value), key=_order)
    return value


def _order(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
