# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that the plan does not know yet: references inside a layer, placeholders between tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PENDING = "pending:"


@dataclass(frozen=True)
class Ref:
    """An attribute of another resource of the same layer, e.g. the id of a VPC.

    It orders the two resources, and it is replaced by the value once that is known.
    """

    kind: str
    name: str
    attribute: str = "id"


@dataclass(frozen=True)
class Derived:
    """A value that is made from an attribute of another resource, once that is known."""

    ref: Ref
    make: Callable[[Any], Any]


def pending(kind: str, name: str, attribute: str = "id") -> str:
    """Return the placeholder of a value that AWS gives out only when the resource is made.

    It is an ordinary string, so that it passes through task results, templates and JSON, and it says
    what it stands for: ``pending:ec2_vpc.id:main``. Every option of our modules takes it where it takes
    the value itself, which is what lets a dry run of an empty account go through to its end.
    """
    return f"{PENDING}{kind}.{attribute}:{name}"


def is_pending(value: object) -> bool:
    """Tell whether a value, or anything inside of it, is a placeholder."""
    if isinstance(value, str):
        return PENDING in value
    if isinstance(value, Mapping):
        return any(is_pending(item) for item in value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(is_pending(item) for item in value)
    return False


def references(value: object) -> set[Ref]:
    """Return every reference inside a value."""
    if isinstance(value, Ref):
        return {value}
    if isinstance(value, Derived):
        return {value.ref}
    if isinstance(value, Mapping):
        return set().union(*(references(item) for item in value.values()))
    if isinstance(value, (list, tuple)):
        return set().union(*(references(item) for item in value))
    return set()


def resolve(value: Any, lookup: Callable[[Ref], Any]) -> Any:
    """Return the value with each reference replaced by what ``lookup`` gives for it."""
    if isinstance(value, Ref):
        return lookup(value)
    if isinstance(value, Derived):
        source = lookup(value.ref)
        return source if is_pending(source) else value.make(source)
    if isinstance(value, Mapping):
        return {key: resolve(item, lookup) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(item, lookup) for item in value]
    return value


def canonical(value: Any, unordered: bool = False) -> Any:
    """Return a form in which equal values are equal: tuples as lists, and lists that mean sets in a fixed order."""
    if isinstance(value, Mapping):
        return {str(key): canonical(value[key], unordered) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [canonical(item, unordered) for item in value]
        return sorted(items, key=repr) if unordered or isinstance(value, (set, frozenset)) else items
    return value
