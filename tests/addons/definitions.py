# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects of kinds that charts define, held against those definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema

Kind = tuple[str, str]


def schemas_of(manifests: Iterable[Mapping[str, Any]]) -> dict[Kind, dict[str, Any]]:
    """Return the schema of each kind that is defined among manifests, by API version and kind."""
    return {
        (f"{item['spec']['group']}/{version['name']}", item["spec"]["names"]["kind"]): version["schema"][
            "openAPIV3Schema"
        ]
        for item in manifests
        if item["kind"] == "CustomResourceDefinition"
        for version in item["spec"]["versions"]
    }


def faults(item: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with an object: fields that its kind does not have, and values that it does not take."""
    name = f"{item['kind']} {item['metadata']['name']}"
    own = {key: value for key, value in item.items() if key not in ("apiVersion", "kind", "metadata")}
    yield from (f"{name}: {path} is no field" for path in _unknown(own, schema, ""))
    for error in jsonschema.Draft4Validator(_plain(schema)).iter_errors(dict(item)):
        yield f"{name}: {'.'.join(map(str, error.path))}: {error.message[:200]}"


def _unknown(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, list):
        for number, member in enumerate(value):
            yield from _unknown(member, schema.get("items", {}), f"{path}[{number}]")
        return
    if not isinstance(value, Mapping) or schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for key, member in value.items():
        inner = known.get(key, others if isinstance(others, Mapping) else None)
        if inner is not None:
            yield from _unknown(member, inner, f"{path}.{key}".lstrip("."))
        elif not others:
            yield f"{path}.{key}".lstrip(".")


def _plain(schema: Any) -> Any:
    """Return a schema of Kubernetes as one of JSON schema: with numbers that may be texts, null, and defaults."""
    if isinstance(schema, list):
        return [_plain(member) for member in schema]
    if not isinstance(schema, Mapping):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {}
    known = {key: _plain(value) for key, value in schema.items() if key not in ("format", "nullable", "description")}
    if isinstance(known.get("required"), list):
        # What is left out gets its default before it is judged.
        known["required"] = [name for name in known["required"] if "default" not in known["properties"].get(name, {})]
    if schema.get("nullable") and isinstance(known.get("type"), str):
        known["type"] = [known["type"], "null"]
    return known
