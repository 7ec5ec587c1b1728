# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grants, which say for any environment what its deploy identity may do, turned into statements of a policy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

OF_ENVIRONMENT = re.compile(r"\{(environment|prefix)\}")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
#: What a grant may leave open.
PLACEHOLDERS = ("partition", "account", "platform", "region", "environment", "prefix")


@dataclass(frozen=True)
class Reach:
    """Whose resources are meant, and where."""

    platform: str
    environments: tuple[str, ...]
    regions: tuple[str, ...]
    account: str
    partition: str


def statements(grants: Sequence[Mapping[str, Any]], reach: Reach) -> list[dict[str, Any]]:
    """Return the statements of a policy that gives these grants."""
    return [_statement(grant, one) for grant in grants for one in _apart(grant, reach)]


def unknown_placeholders(grant: Mapping[str, Any]) -> set[str]:
    """Return what a grant leaves open and nobody knows how to fill in."""
    return {name for text in _texts(grant) for name in PLACEHOLDER.findall(text)} - set(PLACEHOLDERS)


def _apart(grant: Mapping[str, Any], reach: Reach) -> Sequence[Reach]:
    """Return the reach of each statement of a grant: all keys of a condition have to hold at once, so that a key which
    names the environment needs a statement for each.
    """
    keys = [key for keys in (grant.get("condition") or {}).values() for key in keys]
    if any(OF_ENVIRONMENT.search(key) for key in keys):
        return [replace(reach, environments=(environment,)) for environment in reach.environments]
    return [reach]


def _statement(grant: Mapping[str, Any], reach: Reach) -> dict[str, Any]:
    resources = [one for text in grant["resources"] for one in filled(text, reach)]
    condition = {
        operator: {filled(key, reach)[0]: _values(value, reach) for key, value in keys.items()}
        for operator, keys in (grant.get("condition") or {}).items()
    }
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": list(grant["actions"]),
        "Resource": _one_or_all(resources),
    }
    return {**statement, "Condition": condition} if condition else statement


def _values(value: Any, reach: Reach) -> str | list[str]:
    """Return what a key of a condition is compared with."""
    texts = [value] if isinstance(value, str) else value
    return _one_or_all([one for text in texts for one in filled(str(text), reach)])


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def filled(text: str, reach: Reach) -> list[str]:
    """Return a text once for each environment and each region that it leaves open."""
    environments: Sequence[str] = reach.environments if OF_ENVIRONMENT.search(text) else ("",)
    regions: Sequence[str] = reach.regions if "{region}" in text else ("",)
    known = {"partition": reach.partition, "account": reach.account, "platform": reach.platform}
    found = []
    for environment, region in product(environments, regions):
        own = {"environment": environment, "prefix": f"{reach.platform}-{environment}", "region": region}
        found.append(_replaced(text, {**known, **own}))
    return found


def _replaced(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
