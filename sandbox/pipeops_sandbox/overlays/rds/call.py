"""One API call: its parameters, whose it is, and what all operations need of it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pipeops_sandbox.errors import AwsError

from .store import DbInstance, RdsStore, Tags, store_of

T = TypeVar("T")

TAG_LIMIT = 50
"""Tags that one resource may have."""

PAGE_MIN, PAGE_MAX = 20, 100
"""What MaxRecords of every RDS list may be."""


@dataclass(frozen=True)
class Call:
    """The parameters of a call in AWS's spelling, its account, region and model time."""

    account: str
    region: str
    params: Mapping[str, Any]
    now: float

    @property
    def store(self) -> RdsStore:
        """Return the state of the call's account and region."""
        return store_of(self.account, self.region)

    def has(self, name: str) -> bool:
        """Tell whether the caller gave a parameter."""
        return self.params.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """Return a string parameter."""
        value = self.params.get(name)
        return default if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """Return an integer parameter."""
        value = self.params.get(name)
        return default if value is None else int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean parameter."""
        value = self.params.get(name)
        return default if value is None else bool(value)

    def items(self, name: str) -> list[Any]:
        """Return a list parameter."""
        return list(self.params.get(name) or [])

    def tags(self) -> Tags:
        """Return the call's tags, checked."""
        return checked_tags(self.items("Tags"))

    def instance(self, parameter: str = "DBInstanceIdentifier") -> DbInstance:
        """Return the instance that a parameter names, by identifier or ARN of this region.

        Raises:
            AwsError: ``DBInstanceNotFound``.
        """
        given = self.text(parameter)
        name = given.rsplit(":", 1)[-1].lower()
        found = self.store.instances.get(name)
        if found is None or (given.startswith("arn:") and found.arn != given.lower()):
            raise AwsError("DBInstanceNotFound", f"DBInstance {name} not found.")
        return found


def timestamp(seconds: float) -> datetime:
    """Return a model time as the API gives times, whole milliseconds in UTC."""
    return datetime.fromtimestamp(round(seconds, 3), tz=UTC)


def seconds_of(value: Any) -> float:
    """Return a time parameter in seconds since 1970, whatever form the parser gave it."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return float(value)


def checked_tags(tags: Iterable[Mapping[str, Any]]) -> Tags:
    """Return tags in order of their keys.

    Raises:
        AwsError: for too many, doubled or reserved keys, or what AWS allows in neither key nor value.
    """
    found: dict[str, str] = {}
    for tag in tags:
        key, value = str(tag.get("Key") or ""), str(tag.get("Value") or "")
        _check_tag(key, value)
        if key in found:
            raise AwsError("InvalidParameterValue", f"Duplicate tag key {key}.")
        found[key] = value
    if len(found) > TAG_LIMIT:
        raise AwsError("InvalidParameterValue", f"{len(found)} tags given; a resource has at most {TAG_LIMIT}.")
    return [{"Key": key, "Value": found[key]} for key in sorted(found)]


def _check_tag(key: str, value: str) -> None:
    if not 1 <= len(key) <= 128 or len(value) > 256:
        raise AwsError("InvalidParameterValue", f"Tag {key!r}: a key has 1 to 128 characters, a value at most 256.")
    if key.lower().startswith(("aws:", "rds:")):
        raise AwsError("InvalidParameterValue", f"Tag key {key} is reserved: the prefixes aws: and rds: are AWS's own.")
    for part in (key, value):
        if not re.fullmatch(r"[\w\s.:/=+\-@]*", part):
            raise AwsError("InvalidParameterValue", f"Tag {key}: only letters, digits, spaces and _ . : / = + - @.")


def page(call: Call, member: str, rows: Sequence[T], render: Callable[[T], Any] = lambda row: row) -> dict[str, Any]:
    """Return one page of a list; ``Marker`` tells where the next one starts.

    Raises:
        AwsError: ``InvalidParameterValue`` for a MaxRecords outside 20 to 100, or a marker that is none of ours.
    """
    size = call.number("MaxRecords", PAGE_MAX)
    if not PAGE_MIN <= size <= PAGE_MAX:
        raise AwsError("InvalidParameterValue", f"Invalid value {size} for MaxRecords. Must be between 20 and 100")
    start = _marker_position(call.text("Marker"))
    result: dict[str, Any] = {member: [render(row) for row in rows[start : start + size]]}
    if start + size < len(rows):
        result["Marker"] = base64.b64encode(str(start + size).encode()).decode()
    return result


def _marker_position(marker: str) -> int:
    try:
        return int(base64.b64decode(marker, validate=True)) if marker else 0
    except (binascii.Error, ValueError):
        raise AwsError("InvalidParameterValue", f"Invalid marker: {marker}") from None


def filtered(call: Call, rows: Iterable[T], keys: Mapping[str, Callable[[T], Iterable[str]]]) -> list[T]:
    """Return the rows that match every filter of the call.

    Args:
        keys: filter name -> the values of a row that the filter may match.

    Raises:
        AwsError: ``InvalidParameterValue`` for a filter the operation does not have, or one without values.
    """
    result = list(rows)
    for condition in call.items("Filters"):
        name, wanted = str(condition.get("Name")), [str(value) for value in condition.get("Values") or []]
        if name not in keys:
            raise AwsError("InvalidParameterValue", f"Unrecognized filter name: {name}")
        if not wanted:
            raise AwsError("InvalidParameterCombination", f"Filter {name} has no values.")
        result = [row for row in result if set(keys[name](row)) & set(wanted)]
    return result
