"""The evaluation of IAM policies: pure functions over documents.

No maintained library does this for Python: moto's own looks at actions only, and those that look at resources and
conditions are for other languages, or ask AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..overlay import as_list

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One thing that a call asks for.

    Attributes:
        action: as IAM writes it, e.g. ``rds:CreateDBInstance``.
        resource: the ARN of what it is about, or ``*``.
        context: the keys that conditions compare, as far as AWS tells them for this action and this resource.
    """

    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


class Unsupported(Exception):
    """A policy says something that this evaluation does not know; the message says what."""


def allows(policies: Iterable[Document], request: Request) -> bool:
    """Tell whether policies of one kind allow a request: one statement does, and none denies it."""
    found = {effect for policy in policies for effect in effects(policy, request)}
    return "Allow" in found and "Deny" not in found


def effects(policy: Document, request: Request) -> set[str]:
    """Return the effects of the statements that hold for a request."""
    return {str(one["Effect"]) for one in as_list(policy["Statement"]) if holds(one, request)}


def holds(statement: Mapping[str, Any], request: Request) -> bool:
    """Tell whether a statement of an identity's policy is about a request."""
    return (
        _named(statement, "Action", request.action.lower(), lower=True)
        and _named(statement, "Resource", request.resource)
        and conditions_hold(statement.get("Condition") or {}, request.context)
    )


def _named(statement: Mapping[str, Any], element: str, value: str, *, lower: bool = False) -> bool:
    negated = f"Not{element}" in statement
    patterns = [str(one) for one in as_list(statement.get(f"Not{element}" if negated else element))]
    found = any(matches(one.lower() if lower else one, value) for one in patterns)
    return found is not negated


def matches(pattern: str, value: str) -> bool:
    """Tell whether a pattern with ``*`` and ``?`` is about a value. ``*`` goes over the slashes and colons of ARNs."""
    return pattern == value or _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def conditions_hold(conditions: Mapping[str, Any], context: Mapping[str, str | Sequence[str]]) -> bool:
    """Tell whether all conditions of a statement hold.

    Raises:
        Unsupported: for an operator that this evaluation does not know.
    """
    known = {key.lower(): value for key, value in context.items()}
    return all(
        _holds(operator, [str(one) for one in as_list(wanted)], known.get(key.lower()))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, wanted: list[str], actual: str | Sequence[str] | None) -> bool:
    name = operator.rpartition(":")[2]
    if name == "Null":
        return (actual is None) is (wanted[0].lower() == "true")
    plain = name.removesuffix("IfExists")
    if plain not in OPERATORS:
        raise Unsupported(f"the operator {operator} of conditions is not evaluated here")
    compare, negated = OPERATORS[plain]
    values = [str(one) for one in as_list(actual)]
    if actual is None or not values:
        # What is not there is different from anything, and all of nothing is as wanted.
        return negated or name.endswith("IfExists") or operator.startswith("ForAllValues:")
    found = [any(compare(one, value) for one in wanted) is not negated for value in values]
    every = negated or operator.startswith("ForAllValues:")
    return all(found) if every and not operator.startswith("ForAnyValue:") else any(found)


def _equal(wanted: str, actual: str) -> bool:
    return wanted == actual


def _equal_ignoring_case(wanted: str, actual: str) -> bool:
    return wanted.lower() == actual.lower()


def _like_arn(wanted: str, actual: str) -> bool:
    """Compare ARNs part by part: a pattern does not reach over the colons of the first five."""
    pattern, value = wanted.split(":", 5), actual.split(":", 5)
    return len(pattern) == len(value) and all(map(matches, pattern, value))


#: Each operator with how it compares, and whether it wants the opposite.
OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (_equal, False),
    "StringNotEquals": (_equal, True),
    "StringEqualsIgnoreCase": (_equal_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_equal_ignoring_case, True),
    "StringLike": (matches, False),
    "StringNotLike": (matches, True),
    "ArnEquals": (_like_arn, False),
    "ArnLike": (_like_arn, False),
    "ArnNotEquals": (_like_arn, True),
    "ArnNotLike": (_like_arn, True),
    "Bool": (_equal_ignoring_case, False),
}
