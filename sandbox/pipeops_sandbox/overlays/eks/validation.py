"""Limits that the botocore model states: required members, enumerations, lengths, ranges and patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.model import OperationModel, Shape, StructureShape

from ...errors import AwsError

_CODES = ("InvalidParameterException", "BadRequestException")
"""The first of these that an operation lists is what it answers to a malformed value."""


def check(model: OperationModel, params: Mapping[str, Any]) -> None:
    """Refuse what the model of an operation forbids.

    Raises:
        AwsError: with the operation's own code for malformed input; an operation that has none
            (a describe by name) goes on and finds nothing.
    """
    codes = {shape.name for shape in model.error_shapes}
    code = next((code for code in _CODES if code in codes), None)
    if code is None or model.input_shape is None:
        return
    for complaint in _complaints(model.input_shape, params, ""):
        raise AwsError(code, complaint)


def _complaints(shape: Any, value: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, path)
        case "list":
            yield from _size(shape, value, path)
            for index, item in enumerate(value):
                yield from _complaints(shape.member, item, f"{path}[{index}]")
        case "map":
            yield from _size(shape, value, path)
            for key, item in value.items():
                yield from _complaints(shape.key, key, f"{path} key")
                yield from _complaints(shape.value, item, f"{path}.{key}")
        case "string":
            yield from _string(shape, value, path)
        case "integer" | "long" | "float" | "double":
            yield from _bounds(shape, value, value, path)


def _structure(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Missing required parameter {path}{'.' if path else ''}{name}"
    for name, member in shape.members.items():
        given = value.get(name)
        if given is None or (given == [] and member.serialization.get("location") == "querystring"):
            continue
        yield from _complaints(member, given, f"{path}.{name}" if path else name)


def _string(shape: Shape, value: str, path: str) -> Iterator[str]:
    yield from _size(shape, value, path)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"Value {value!r} at {path!r} must be one of {', '.join(allowed)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield f"Value {value!r} at {path!r} must match {pattern}"


def _size(shape: Shape, value: str | Sequence[Any] | Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _bounds(shape, len(value), value, path)


def _bounds(shape: Shape, measure: float, value: object, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and measure < low:
        yield f"Value {value!r} at {path!r} must be at least {low} in size"
    if high is not None and measure > high:
        yield f"Value {value!r} at {path!r} must be at most {high} in size"
