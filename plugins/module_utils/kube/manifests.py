# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between two states of a Kubernetes object, and how a task reports it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

with suppress(ImportError):
    import yaml

    class _Loader(yaml.SafeLoader):
        """Reads YAML as Kubernetes does: to YAML 1.1 a lone ``=``, which definitions of kinds contain, is no text."""

    def _text(_loader: Any, node: Any) -> str:
        return str(node.value)

    _Loader.add_constructor("tag:yaml.org,2002:value", _text)

#: The label by which the objects of one task are found again.
SET_LABEL = "pipeops.platform/set"
#: What the server keeps for itself: it says nothing of what was asked for.
BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"})
#: What nobody may read in a diff.
HIDDEN = "hidden"
#: Differences that a plan shows of one object.
SHOWN = 12


def manifests_of(text: str) -> list[dict[str, Any]]:
    """Return the manifests of a YAML stream, such as a chart renders."""
    return [item for item in yaml.load_all(text, _Loader) if item]


@dataclass(frozen=True)
class Name:
    """What an object is called: its kind, and its name in a namespace (empty for none)."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> Name:
        """Read it from a manifest."""
        metadata = definition["metadata"]
        return cls(
            str(definition["apiVersion"]),
            str(definition["kind"]),
            str(metadata.get("namespace") or ""),
            str(metadata["name"]),
        )

    @property
    def place(self) -> str:
        """The name with its namespace, as ``kubectl`` users write it."""
        return "/".join(filter(None, (self.namespace, self.name)))

    def __str__(self) -> str:
        return f"{self.kind} {self.place}"


def essence(item: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return of an object what people and charts decide: without status and without what the server adds for itself."""
    if item is None:
        return {}
    metadata = {key: value for key, value in item.get("metadata", {}).items() if key not in BOOKKEEPING}
    return {**{key: value for key, value in item.items() if key not in ("status", "metadata")}, "metadata": metadata}


def shown(item: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return an object as a diff shows it: values of secrets are hidden."""
    visible = essence(item)
    if visible.get("kind") == "Secret":
        for part in ("data", "stringData"):
            if part in visible:
                visible[part] = dict.fromkeys(visible[part], HIDDEN)
    return visible


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each member that differs, by its path, e.g. ``spec.limits.cpu``."""
    return [
        {"attribute": path, "before": old, "after": new} for path, old, new in _walk("", before, after) if old != new
    ][:SHOWN]


def _walk(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _walk(f"{path}.{key}".lstrip("."), before.get(key), after.get(key))
    else:
        yield path, before, after


def action(verb: str, name: Name, changes: list[dict[str, Any]], seconds: float = 1) -> dict[str, Any]:
    """Return one step of a plan as tasks report it, in the words of the engine's actions."""
    return {
        "action": f"{verb}/{name.kind}/{name.place}",
        "verb": verb,
        "kind": name.kind,
        "name": name.place,
        "label": name.kind,
        "id": None,
        "change": None,
        "differences": changes,
        "interrupts": "",
        "reversible": verb != "delete",
        "typical_seconds": seconds,
    }


def diff(name: Name, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the diff of one object as Ansible shows it."""
    return {
        "before_header": str(name),
        "after_header": str(name),
        "before": shown(before),
        "after": shown(after),
    }


def labelled(definition: Mapping[str, Any], set_name: str) -> dict[str, Any]:
    """Return a manifest with the labels by which it is known as ours, and as one of this set."""
    metadata = definition["metadata"]
    own = {"app.kubernetes.io/managed-by": "pipeops.platform", SET_LABEL: set_name}
    labels = {**(metadata.get("labels") or {}), **own}
    copy: dict[str, Any] = json.loads(json.dumps({**definition, "metadata": {**metadata, "labels": labels}}))
    return copy


def condition(item: Mapping[str, Any] | None, kind: str) -> tuple[bool, str]:
    """Return whether a condition of an object is true, and what it says for people."""
    found = next((c for c in ((item or {}).get("status") or {}).get("conditions") or [] if c["type"] == kind), None)
    if found is None:
        return False, f"it tells no condition {kind}"
    said = " ".join(filter(None, (str(found.get("reason") or ""), str(found.get("message") or ""))))
    return found["status"] == "True", f"{kind} is {found['status']}{f': {said}' if said else ''}"
