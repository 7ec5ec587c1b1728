"""Manifests of a folder, as Kustomize builds them: the part of it that applications of the platform use. No network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonpatch
import yaml

from .api import Object

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
KNOWN = frozenset({"apiVersion", "kind", "resources", "labels", "replicas", "patches", "namespace"})
#: Kinds that Kustomize knows to have a selector of labels, and whether that is below ``matchLabels``.
SELECTORS = {
    "Deployment": True, "StatefulSet": True, "DaemonSet": True, "ReplicaSet": True, "PodDisruptionBudget": True,
    "Service": False,
}  # fmt: skip
#: Kinds with a template of pods, and the way to it.
TEMPLATES = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), ("spec", "template")),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet"})


class Unbuildable(Exception):
    """The folder holds what cannot be built; the message says where and why."""


def manifests(folder: Path, patches: Sequence[Mapping[str, Any]] = ()) -> list[Object]:
    """Return the manifests of a folder: built if it has a kustomization, else those that lie in it.

    Args:
        patches: applied at the end, as an Application of Argo CD names them.

    Raises:
        Unbuildable: naming the file.
    """
    if not folder.is_dir():
        raise Unbuildable(f"{folder.name}: app path does not exist")
    if any((folder / name).is_file() for name in NAMES):
        found = build(folder)
    else:
        files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml", ".json"))
        found = [item for path in files for item in _documents(path)]
    for patch in patches:
        _patch(found, patch, folder)
    return found


def build(folder: Path) -> list[Object]:
    """Return what a folder with a kustomization builds.

    Raises:
        Unbuildable: naming the file.
    """
    path = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    if path is None:
        raise Unbuildable(f"{folder} has no kustomization")
    (rules,) = _documents(path) or [{}]
    unknown = sorted(set(rules) - KNOWN)
    if unknown:
        raise Unbuildable(f"{path} has {', '.join(unknown)}, which the sandbox does not build")
    found: list[Object] = []
    for name in rules.get("resources", ()):
        target = (folder / name).resolve()
        found += build(target) if target.is_dir() else _documents(target)
    for item in found:
        if "namespace" in rules:
            item["metadata"]["namespace"] = rules["namespace"]
        for label in rules.get("labels", ()):
            _label(item, label)
    for scale in rules.get("replicas", ()):
        for item in found:
            if item["kind"] in SCALED and item["metadata"]["name"] == scale["name"]:
                item["spec"]["replicas"] = scale["count"]
    for patch in rules.get("patches", ()):
        _patch(found, patch, folder)
    return found


def _documents(path: Path) -> list[Object]:
    try:
        return [item for item in yaml.safe_load_all(path.read_text("utf-8")) if item]
    except (OSError, yaml.YAMLError) as error:
        raise Unbuildable(f"{path}: {error}") from error


def _label(item: Object, rule: Mapping[str, Any]) -> None:
    pairs, kind = rule.get("pairs", {}), item["kind"]
    item["metadata"].setdefault("labels", {}).update(pairs)
    templated = rule.get("includeTemplates") or rule.get("includeSelectors")
    if templated and kind in TEMPLATES:
        place = item
        for step in TEMPLATES[kind]:
            place = place.setdefault(step, {})
        place.setdefault("metadata", {}).setdefault("labels", {}).update(pairs)
    if rule.get("includeSelectors") and kind in SELECTORS:
        selector = item.setdefault("spec", {}).setdefault("selector", {})
        (selector.setdefault("matchLabels", {}) if SELECTORS[kind] else selector).update(pairs)


def _patch(found: list[Object], rule: Mapping[str, Any], folder: Path) -> None:
    """Apply one patch to what it is aimed at."""
    text = rule.get("patch") or (folder / rule["path"]).read_text("utf-8")
    steps = yaml.safe_load(text)
    if not isinstance(steps, list):
        raise Unbuildable(f"{folder}: a patch is a list of JSON 6902 operations here, not a strategic merge")
    for number in _targets(found, rule.get("target") or {}):
        try:
            found[number] = jsonpatch.apply_patch(found[number], steps)
        except jsonpatch.JsonPatchException as error:
            raise Unbuildable(f"{folder}: {error}") from error


def _targets(found: Sequence[Object], target: Mapping[str, Any]) -> Iterator[int]:
    for number, item in enumerate(found):
        group, _slash, version = item["apiVersion"].rpartition("/")
        known = {
            "kind": item["kind"], "name": item["metadata"]["name"], "group": group, "version": version,
            "namespace": item["metadata"].get("namespace", ""),
        }  # fmt: skip
        if all(known.get(name) == value for name, value in target.items()):
            yield number


def fingerprint(items: Iterable[Object]) -> str:
    """Return a text that changes whenever one of the manifests does."""
    return json.dumps(list(items), sort_keys=True)
