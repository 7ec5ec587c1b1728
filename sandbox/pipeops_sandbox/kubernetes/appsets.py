"""Applications from an ApplicationSet: its generators and its template. Pure, but for the reading of repositories."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from .api import Object

API_VERSION = "argoproj.io/v1alpha1"
CLUSTER_TYPE = ("argocd.argoproj.io/secret-type", "cluster")
#: A reference to a parameter, e.g. ``{{ .path.basename }}``: of Go's templates, these are what applications here use.
REFERENCE = re.compile(r"{{-?\s*\.([\w.]+)\s*-?}}")
Params = dict[str, Any]
#: Returns the folder of a repository at a revision.
Read = Callable[[str, str], Path]


class Ungenerated(Exception):
    """No applications can be made; the message says why, as the condition of the set carries it."""


def applications(item: Object, clusters: Sequence[Object], read: Read) -> list[Object]:
    """Return the Applications that an ApplicationSet asks for.

    Args:
        clusters: the Secrets by which Argo CD knows clusters.

    Raises:
        Ungenerated: if a generator or the template is one that is not played, or lacks a parameter.
    """
    found = []
    for generator in item["spec"].get("generators", []):
        for params in _generated(generator, clusters, read):
            found.append(_application(item, params))
    names = [one["metadata"]["name"] for one in found]
    double = next((name for name in names if names.count(name) > 1), None)
    if double:
        raise Ungenerated(
            f"ApplicationSet {item['metadata']['name']} contains applications with duplicate name: {double}"
        )
    return found


def _application(item: Object, params: Params) -> Object:
    template = filled(item["spec"]["template"], params)
    metadata, own = template.get("metadata", {}), item["metadata"]
    owner = {
        "apiVersion": API_VERSION, "kind": "ApplicationSet", "name": own["name"], "uid": own["uid"], "controller": True,
        "blockOwnerDeletion": True,
    }  # fmt: skip
    return {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": {**metadata, "namespace": own["namespace"], "ownerReferences": [owner]},
        "spec": template["spec"],
    }


def _generated(generator: Mapping[str, Any], clusters: Sequence[Object], read: Read) -> list[Params]:
    kind = next(iter(generator), "")
    rule = generator.get(kind) or {}
    if kind == "list":
        return [dict(element) for element in rule.get("elements", [])]
    if kind == "clusters":
        return _clusters(rule, clusters)
    if kind == "git":
        return _directories(rule, read)
    if kind == "matrix":
        parts = [_generated(part, clusters, read) for part in rule["generators"]]
        return [_merged(combination) for combination in itertools.product(*parts)]
    raise Ungenerated(f"generator {kind or 'without a name'} is not played by the sandbox")


def _merged(parts: Sequence[Params]) -> Params:
    merged: Params = {}
    for part in parts:
        merged |= part
    return merged


def _clusters(rule: Mapping[str, Any], clusters: Sequence[Object]) -> list[Params]:
    wanted = (rule.get("selector") or {}).get("matchLabels") or {}
    found = []
    for secret in clusters:
        metadata = secret["metadata"]
        labels = metadata.get("labels") or {}
        if labels.get(CLUSTER_TYPE[0]) != CLUSTER_TYPE[1] or wanted.items() - labels.items():
            continue
        data = {name: base64.b64decode(value).decode() for name, value in (secret.get("data") or {}).items()}
        known = {"labels": labels, "annotations": metadata.get("annotations") or {}}
        found.append({"name": data.get("name", ""), "server": data.get("server", ""), "metadata": known})
    return found


def _directories(rule: Mapping[str, Any], read: Read) -> list[Params]:
    if "directories" not in rule:
        raise Ungenerated("the git generator is played for directories only")
    root = read(rule["repoURL"], rule.get("revision", "HEAD"))
    taken: set[str] = set()
    for one in rule["directories"]:
        matching = {str(path.relative_to(root)) for path in root.glob(one["path"]) if path.is_dir()}
        taken = taken - matching if one.get("exclude") else taken | matching
    return [{"path": _path(PurePosixPath(place))} for place in sorted(taken)]


def _path(place: PurePosixPath) -> Params:
    return {"path": str(place), "basename": place.name, "segments": list(place.parts)}


def filled(value: Any, params: Params) -> Any:
    """Return a template with its references replaced, in all texts inside it.

    Raises:
        Ungenerated: if a parameter is not there, or the template does more than name parameters.
    """
    if isinstance(value, Mapping):
        return {filled(key, params): filled(inner, params) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, params) for inner in value]
    if not isinstance(value, str):
        return value
    text = REFERENCE.sub(lambda match: str(_parameter(match[1], params)), value)
    if "{{" in text:
        raise Ungenerated(f"the sandbox fills in names of parameters only, not {text!r}")
    return text


def _parameter(name: str, params: Params) -> Any:
    value: Any = params
    for step in name.split("."):
        if not isinstance(value, Mapping) or step not in value:
            raise Ungenerated(f'failed to execute go template: map has no entry for key "{step}" of .{name}')
        value = value[step]
    return value
