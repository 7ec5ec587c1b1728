# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A layer: resource types that are brought to their wanted state together, which is what one task does.

Every module of ours is a layer and nothing else: observe, plan, apply unless in check mode, observe again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from .adoption import ADOPTED, Found, refuse_missing, taken_over
from .aws import PATIENCE_ARGUMENT_SPEC, Aws
from .errors import EngineError
from .executor import Executor
from .model import Identity, Key, Observed, Readiness, ResourceType, Scope, Wanted
from .planner import Action, Plan, State, adoption_plan, make_plan, removal_plan
from .values import Ref, pending
from .waiting import Progress

#: Seconds that AWS gets to show what it was told.
SETTLES_AFTER = 30

#: The options that every layer has, described in the doc fragment pipeops.platform.layer.
COMMON_ARGUMENT_SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "platform": {"type": "str", "default": "pipeops"},
    "environment": {"type": "str", "required": True},
    "account_id": {"type": "str"},
    "tags": {"type": "dict", "default": {}},
    "wait": {"type": "bool", "default": True},
    **PATIENCE_ARGUMENT_SPEC,
    "started": {"type": "dict", "default": {}},
}


@dataclass(frozen=True)
class Context:
    """What a layer builds its wanted resources from, beside its own options."""

    layer: str
    identity: Identity
    aws: Aws
    common_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def region(self) -> str:
        return self.aws.region

    def tags(self, name: str, **more: str) -> dict[str, str]:
        """Return all tags of a resource: those of the inventory, its own, and those of the owner."""
        own = {"Name": self.identity.name(name), **more}
        return {**self.common_tags, **own, **self.identity.tags(f"{self.layer}/{name}")}

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """Return an ARN in this account; pass an empty region for global services."""
        where = self.region if region is None else region
        return f"arn:{self.aws.partition}:{service}:{where}:{self.aws.account_id}:{resource}"


class View:
    """The layer as the result reports it: what stands, or in a dry run what will stand."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, kind: str, name: str, attribute: str = "id") -> Any:
        """Return an attribute of a resource, a placeholder if it is not known yet, None if it is not wanted."""
        if (kind, name) not in self._state.wanted and (kind, name) not in self._state.observed:
            return None
        return self._state.lookup(Ref(kind, name, attribute))

    def told(self, kind: str, name: str, attribute: str) -> Any:
        """Return an attribute of a resource that stands, None where AWS tells none: never a placeholder."""
        standing = self._state.observed.get((kind, name))
        return standing.get(attribute) if standing else None

    def names(self, kind: str) -> list[str]:
        """Return the names of all wanted resources of a kind, in the order in which they were declared."""
        return [key[1] for key in self._state.wanted if key[0] == kind]


@dataclass(frozen=True)
class Layer:
    """What a module manages.

    Attributes:
        name: the first half of the component tag of its resources.
        types: its resource types; later ones build on earlier ones.
        build: turns the module's options into wanted resources. Must not call AWS for anything but the account id.
        outputs: picks what other roles need.
        removals: the values of the option ``state`` that remove what is observed.
        find: for a layer that takes over what others made, finds by the options what is meant by each wanted resource;
            not needed for what AWS knows by names that the options tell.
        adopts: what has to stand for that, each with what to do if it does not.
        report: adds to the result what is of this run alone, from the options and the resources before and after.
    """

    name: str
    types: tuple[ResourceType, ...]
    build: Callable[[Mapping[str, Any], Context], Sequence[Wanted]]
    outputs: Callable[[View, Mapping[str, Any]], dict[str, Any]] = lambda _view, _params: {}
    removals: frozenset[str] = frozenset({"absent"})
    find: Callable[[Aws, Mapping[str, Any], Mapping[Key, Wanted]], Found] = lambda _aws, _params, _wanted: Found()
    adopts: Mapping[Key, str] = field(default_factory=dict)
    report: Callable[[Mapping[str, Any], Mapping[Key, Observed], Mapping[Key, Observed]], dict[str, Any]] = (
        lambda _params, _before, _after: {}
    )


def run_layer(
    layer: Layer, params: Mapping[str, Any], *, check_mode: bool, progress: Progress = lambda _text: None
) -> dict[str, Any]:
    """Bring a layer to its wanted state and return the task's result.

    Raises:
        EngineError: with a message for people, and what was done until then.
    """
    if params["started"].get("settled"):
        nothing: dict[str, Any] = {"changed": False, "actions": [], "before": {}, "after": {}, "diff": []}
        return {**params["started"], **nothing, "earlier": _earlier(params)}
    aws = Aws(params, progress)
    context = Context(
        layer.name,
        Identity(params["platform"], params["environment"]),
        aws,
        {k: str(v) for k, v in params["tags"].items()},
    )
    wanted = {item.key: item for item in layer.build(params, context)}
    types = {resource_type.kind: resource_type for resource_type in layer.types}
    state = State(types, wanted)
    try:
        found = layer.find(aws, params, wanted) if params["state"] == ADOPTED else Found()
        executor = Executor(aws, state, _scopes(layer, context, wanted, found))
        executor.observe()
        before = dict(state.observed)
        plan = _plan(layer, state, params, check_mode)
    except EngineError as error:
        error.untouched = True
        raise
    if not check_mode:
        _apply(layer, executor, plan, params)
    result = _result(layer, params, plan, before, state, check_mode, context.region)
    return {**result, "left_alone": list(found.left_alone)} if params["state"] == ADOPTED else result


def _scopes(layer: Layer, context: Context, wanted: Mapping[Key, Wanted], found: Found) -> dict[str, Scope]:
    kinds = [resource_type.kind for resource_type in layer.types]
    by_kind = {kind: {name: item for (k, name), item in wanted.items() if k == kind} for kind in kinds}
    place = (context.identity, layer.name, context.region)
    return {kind: Scope(*place, by_kind[kind], wanted, found.identifiers) for kind in kinds}


def _plan(layer: Layer, state: State, params: Mapping[str, Any], check_mode: bool) -> Plan:
    if params["state"] in layer.removals:
        return removal_plan(state)
    if params["state"] == ADOPTED:
        refuse_missing(layer.adopts, state)
        state.wanted = taken_over(state, Identity(params["platform"], params["environment"]))
        return adoption_plan(state)
    # Only in a dry run: in a real one, what was done stands, and what does not stand has to be done.
    announced = params["started"].get("actions") or [] if check_mode else []
    planned = {str(action.get("action")) for action in announced}
    return make_plan(state, wait=params["wait"], planned=planned)


def _apply(layer: Layer, executor: Executor, plan: Plan, params: Mapping[str, Any]) -> None:
    try:
        executor.apply(plan.actions)
        if params["state"] in layer.removals:
            return
        if params["wait"]:
            executor.await_all()
        if plan.actions:
            _verify(executor, plan, params["wait"])
    except EngineError as error:
        error.done = [action.as_dict() for action in executor.done]
        error.untouched = error.untouched and not error.done
        raise


def _verify(executor: Executor, plan: Plan, wait: bool) -> None:
    """Describe everything again, and insist that it is as wanted; AWS may take a moment to show it."""
    deferred = {action.identity for action in plan.deferred}
    deadline = time.monotonic() + SETTLES_AFTER
    pause = 0.2
    while True:
        executor.observe()
        if wait:
            executor.await_all()
        planned = make_plan(executor.state, wait=wait, planned=deferred).actions
        left = [action for action in planned if _can_judge(executor.state, action)]
        if not left:
            return
        if time.monotonic() > deadline:
            what = "; ".join(f"{a.label} {a.name!r}: {[d.attribute for d in a.differences]}" for a in left)
            raise EngineError(
                f"AWS took every change in {executor.aws.region}, but still describes another state of {what}. "
                "Look whether something else changes it too, then run again."
            )
        time.sleep(pause)
        pause = min(pause * 2, 5)


def _can_judge(state: State, action: Action) -> bool:
    standing = state.observed.get(action.key)
    return standing is None or state.types[action.kind].readiness(standing) is Readiness.READY


def _result(
    layer: Layer,
    params: Mapping[str, Any],
    plan: Plan,
    before: Mapping[Key, Observed],
    state: State,
    check_mode: bool,
    region: str,
) -> dict[str, Any]:
    touched = list(dict.fromkeys(action.key for action in plan.actions))
    after = _after(plan, before, state) if check_mode else dict(state.observed)
    shown = State(state.types, state.wanted, after)
    ready = all(_is_ready(shown, key) for key in state.wanted)
    result: dict[str, Any] = {
        "changed": bool(plan.actions),
        "actions": [action.as_dict() for action in plan.actions],
        "deferred": [action.as_dict() for action in plan.deferred],
        "earlier": _earlier(params),
        "unmanaged": [{"kind": item.kind, "name": item.name, "id": item.id} for item in plan.unmanaged],
        "resources": [_identified(after[key]) for key in state.wanted if key in after],
        "settled": not plan.deferred and ready,
        "region": region,
        "before": {"/".join(key): _describe(before.get(key)) for key in touched},
        "after": {"/".join(key): _describe(after.get(key)) for key in touched},
    }
    result["diff"] = [_diff(key, before, after) for key in touched]
    if params["state"] not in layer.removals:
        result["outputs"] = layer.outputs(View(shown), params)
    return {**result, **layer.report(params, before, after)}


def _earlier(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the actions of the task that this one finishes the work of."""
    started = params["started"]
    return [*started.get("earlier", []), *started.get("actions", [])]


def _identified(item: Observed) -> dict[str, Any]:
    """Return what a resource is found again by."""
    return {"kind": item.kind, "name": item.name, "id": item.id, "arn": item.get("arn")}


def _after(plan: Plan, before: Mapping[Key, Observed], state: State) -> dict[Key, Observed]:
    """Predict what stands once the plan is carried out; what AWS gives out then shows as a placeholder."""
    after = dict(before)
    for action in plan.actions:
        if action.verb == "delete":
            after.pop(action.key, None)
            continue
        wanted, standing = state.resolved(state.wanted[action.key]), before.get(action.key)
        known = {k: v for k, v in wanted.attributes.items() if v is not None}
        if action.verb == "update" and standing is not None:
            changed = {name: known[name] for name in known if action.update and name in action.update.attributes}
            earlier = after[action.key]
            tags = (
                {**earlier.tags, **(wanted.tags or {})}
                if action.update and action.update.name == "tags"
                else earlier.tags
            )
            after[action.key] = Observed(
                *action.key, standing.id, {**earlier.attributes, **changed}, tags, standing.status
            )
            continue
        new_id = pending(*action.key)
        after[action.key] = Observed(*action.key, new_id, known, dict(wanted.tags or {}), "planned")
    return after


def _is_ready(state: State, key: Key) -> bool:
    standing = state.observed.get(key)
    if standing is None:
        return False
    resource_type = state.types[key[0]]
    if standing.status == "planned":
        return not resource_type.slow
    return resource_type.readiness(standing) is Readiness.READY


def _describe(item: Observed | None) -> dict[str, Any] | None:
    return None if item is None else {"id": item.id, **item.attributes, "tags": dict(item.tags)}


def _diff(key: Key, before: Mapping[Key, Observed], after: Mapping[Key, Observed]) -> dict[str, Any]:
    header = f"{key[0]} {key[1]}"
    return {
        "before_header": header,
        "after_header": header,
        "before": _describe(before.get(key)) or {},
        "after": _describe(after.get(key)) or {},
    }


def argument_spec(own: Mapping[str, Any]) -> dict[str, Any]:
    """Return a module's options together with those that all layers share."""
    return {**COMMON_ARGUMENT_SPEC, **own}


def run_module(layer: Layer, own_spec: Mapping[str, Any]) -> None:
    """Run a layer as an ordinary Ansible module, wherever the task's connection leads."""
    module = AnsibleAWSModule(argument_spec=argument_spec(own_spec), supports_check_mode=True)
    try:
        result = run_layer(layer, module.params, check_mode=module.check_mode)
    except EngineError as error:
        module.fail_json(msg=str(error), changed=bool(error.done), actions=error.done, untouched=error.untouched)
    else:
        module.exit_json(**result)
