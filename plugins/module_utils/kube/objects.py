# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings Kubernetes objects to their wanted state, or says what that would change: also where nothing stands yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.errors import EngineError
from ..engine.waiting import Patience, Progress, wait_until
from .api import Api, Refused, object_path
from .manifests import SET_LABEL, Name, action, condition, diff, differences, essence, labelled, shown

#: Seconds that a kind may take to be served after its definition came.
KIND_SERVED_WITHIN = 60


@dataclass
class Outcome:
    """What a task did, or would do."""

    actions: list[dict[str, Any]] = field(default_factory=list)
    diffs: list[dict[str, Any]] = field(default_factory=list)

    def add(self, verb: str, name: Name, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        """Take in one change."""
        changes = differences(shown(before), shown(after)) if verb == "update" else []
        self.actions.append(action(verb, name, changes))
        self.diffs.append(diff(name, before, after))

    def as_dict(self) -> dict[str, Any]:
        """Return it as the task's result."""
        return {"changed": bool(self.actions), "actions": self.actions, "diff": self.diffs}


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes:
        set_name: the label that all of them get, by which those that are no longer wanted are found.
        definitions: the manifests, in the order in which they are applied.
        prune: kinds (``apiVersion`` and ``kind``) of which what has the label and is not among them is deleted.
        conditions: for a kind, the condition that is awaited of each object of it.
        absent: whether they are to be deleted instead, last ones first.
    """

    set_name: str
    definitions: Sequence[Mapping[str, Any]]
    prune: Sequence[tuple[str, str]] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)
    absent: bool = False


def foresee(order: Order) -> Outcome:
    """Return what a run will change in a cluster that is only planned: everything."""
    outcome = Outcome()
    for definition in () if order.absent else order.definitions:
        outcome.add("create", Name.of(definition), None, labelled(definition, order.set_name))
    return outcome


def carry_out(api: Api, order: Order, *, check_mode: bool, progress: Progress) -> Outcome:
    """Bring the objects about, remove what is no longer wanted, and wait for conditions; or foresee it in check mode.

    Raises:
        EngineError: naming the object, and what the server said of it.
    """
    outcome = Outcome()
    if order.absent:
        for definition in reversed(order.definitions):
            _remove(api, Name.of(definition), outcome, check_mode)
        return outcome
    for definition in order.definitions:
        _bring(api, labelled(definition, order.set_name), outcome, check_mode, progress)
    for api_version, kind in order.prune:
        _prune(api, order, api_version, kind, outcome, check_mode)
    if not check_mode:
        _await(api, order, progress)
    return outcome


def _bring(api: Api, definition: dict[str, Any], outcome: Outcome, check_mode: bool, progress: Progress) -> None:
    name = Name.of(definition)
    path = _path(api, name, check_mode, progress)
    if path is None:
        outcome.add("create", name, None, definition)
        return
    before = api.get(path)
    try:
        after = api.apply(path, definition, dry_run=check_mode)
    except Refused as refusal:
        # In a dry run its namespace may be one of those that will be made.
        if check_mode and refusal.status == 404:
            outcome.add("create", name, None, definition)
            return
        raise EngineError(f"{name}: {refusal}") from None
    if essence(before) != essence(after):
        outcome.add("update" if before else "create", name, before, after)


def _path(api: Api, name: Name, check_mode: bool, progress: Progress) -> str | None:
    """Return the path of an object; None in a dry run if its kind is yet to come."""
    served = api.kind(name.api_version, name.kind)
    if served is None and not check_mode:
        served = wait_until(
            lambda: (api.kind(name.api_version, name.kind), "unknown to the API server"),
            f"{name.kind} of {name.api_version} in {api.where}",
            5,
            Patience(min(api.patience.timeout, KIND_SERVED_WITHIN), api.patience.delay),
            progress,
            "Install what defines it first: the chart or the definition that brings this kind.",
        )
    return object_path(served, name.api_version, name.namespace, name.name) if served else None


def _remove(api: Api, name: Name, outcome: Outcome, check_mode: bool) -> None:
    served = api.kind(name.api_version, name.kind)
    path = object_path(served, name.api_version, name.namespace, name.name) if served else ""
    before = api.get(path) if path else None
    if before is None:
        return
    if not check_mode:
        api.delete(path)
    outcome.add("delete", name, before, None)


def _prune(api: Api, order: Order, api_version: str, kind: str, outcome: Outcome, check_mode: bool) -> None:
    served = api.kind(api_version, kind)
    if served is None:
        return
    wanted = {Name.of(definition).place for definition in order.definitions if definition["kind"] == kind}
    listed = api.get(object_path(served, api_version, ""), labelSelector=f"{SET_LABEL}={order.set_name}") or {}
    for item in listed.get("items", []):
        name = Name.of({**item, "apiVersion": api_version, "kind": kind})
        if name.place not in wanted:
            _remove(api, name, outcome, check_mode)


def _await(api: Api, order: Order, progress: Progress) -> None:
    for definition in order.definitions:
        name = Name.of(definition)
        kind = order.conditions.get(name.kind)
        if kind is None:
            continue
        path = _path(api, name, False, progress)

        def look(path: str = str(path), kind: str = kind) -> tuple[bool | None, str]:
            holds, text = condition(api.get(path), kind)
            return (True if holds else None), text

        wait_until(
            look,
            f"{name} in {api.where}",
            10,
            api.patience,
            progress,
            "Look at its events (kubectl describe), then run the play again: it goes on where this one stopped.",
        )
