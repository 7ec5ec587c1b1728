"""What a request says, in one shape for all protocols: the members of its top level, and the tags that it sets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import UnknownServiceError
from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

from ..http_server import Environ
from ..routing import Call

#: A list's members are numbered, and called `member`, `entry` or by their type: `Tags.Tag.1.Key`, `SubnetId.2`.
_TAG = re.compile(r"(?P<tag>.*\bTags?(?:\.\w+)?\.\d+)\.(?P<part>Key|Value)")
_SPECIFICATION = re.compile(r"TagSpecification\.(?P<number>\d+)\.ResourceType")


@dataclass(frozen=True)
class Parameters:
    """A request's parameters.

    Attributes:
        top: the members of the top level, each with its values as texts.
        tags: the tags that the request sets.
        specified: of EC2, the tags by the type of resource that they are for.
        texts: all texts anywhere in it.
    """

    top: Mapping[str, list[str]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    specified: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    texts: tuple[tuple[str, str], ...] = ()

    def first(self, *names: str) -> str:
        """Return the first value of the first of these members that is there; empty if none is."""
        return next((value for name in names for value in self.top.get(name, ())), "")

    def every(self, *names: str) -> list[str]:
        """Return all values of these members."""
        return [value for name in names for value in self.top.get(name, ())]


def parameters_of(call: Call, environ: Environ, body: bytes) -> Parameters:
    """Return the parameters of a request."""
    if call.protocol in ("ec2", "query"):
        text = body.decode("utf-8", "replace") or environ.get("QUERY_STRING", "")
        return _of_form(parse_qsl(text, keep_blank_values=True))
    document = _json(body) if "json" in call.protocol else {}
    top: dict[str, list[str]] = {}
    for name, value in [*document.items(), *_of_path(call, environ).items()]:
        top[name] = [str(one) for one in (value if isinstance(value, list) else [value]) if not isinstance(one, dict)]
    return Parameters(top, dict(_tags(document)), {}, tuple(_texts(document)))


def _of_form(pairs: list[tuple[str, str]]) -> Parameters:
    top: dict[str, list[str]] = {}
    for name, value in pairs:
        top.setdefault(name.split(".")[0], []).append(value)
    form = dict(pairs)
    tags: dict[str, dict[str, str]] = {}
    for name, value in pairs:
        found = _TAG.fullmatch(name)
        if found:
            tags.setdefault(found["tag"], {})[found["part"]] = value
    plain = {one["Key"]: one.get("Value", "") for one in tags.values() if "Key" in one}
    specified = {
        value: {
            one["Key"]: one.get("Value", "")
            for prefix, one in tags.items()
            if prefix.startswith(f"TagSpecification.{found['number']}.")
        }
        for name, value in form.items()
        if (found := _SPECIFICATION.fullmatch(name))
    }
    return Parameters(top, plain, specified, tuple(pairs))


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _of_path(call: Call, environ: Environ) -> dict[str, Any]:
    """Return what the path of a request names."""
    if environ.get("HTTP_X_AMZ_TARGET"):
        return {}
    try:
        request: Any = Request(dict(environ))
        _operation, found = get_service_router(call.service).match(request)
    except (NotFound, UnknownServiceError):
        return {}
    return dict(found)


def _tags(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the tags of a JSON request, which services spell in four ways."""
    found = document.get("Tags", document.get("tags", document.get("ResourceTags", {})))
    if isinstance(found, Mapping):
        yield from ((str(key), str(value)) for key, value in found.items())
        return
    for one in found:
        if isinstance(one, Mapping):
            key = one.get("Key", one.get("TagKey", one.get("key")))
            yield str(key), str(one.get("Value", one.get("TagValue", one.get("value", ""))))


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield all texts of a document, each with the member that it is in."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, name)
