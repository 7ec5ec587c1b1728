# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is observed and what is wanted to the list of actions. Pure: no AWS, no clock, no mocks needed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

from .errors import EngineError, PlanRefused
from .model import TAG_ADOPTED, TAGS, Key, Observed, Readiness, ResourceType, Traits, Update, Wanted
from .values import Ref, pending, resolve

Verb = Literal["create", "update", "replace", "delete"]


@dataclass(frozen=True)
class Difference:
    """One attribute that changes."""

    attribute: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Action:
    """One step of a plan: what is done to which resource, and what that means for those who use it."""

    verb: Verb
    kind: str
    name: str
    label: str
    traits: Traits
    id: str | None = None
    update: Update | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def key(self) -> Key:
        return (self.kind, self.name)

    @property
    def identity(self) -> str:
        """What tells it from every other action of a run, the same in a dry run and in the run that follows."""
        return "/".join((self.verb, self.kind, self.name, *([self.update.name] if self.update else [])))

    def as_dict(self) -> dict[str, Any]:
        """Return it as a task result carries it."""
        return {
            "action": self.identity,
            "verb": self.verb,
            "kind": self.kind,
            "name": self.name,
            "label": self.label,
            "id": self.id,
            "change": self.update.name if self.update else None,
            "differences": [{"attribute": d.attribute, "before": d.before, "after": d.after} for d in self.differences],
            "interrupts": self.traits.interrupts,
            "reversible": self.traits.reversible,
            "typical_seconds": self.traits.seconds,
        }


@dataclass(frozen=True)
class Plan:
    """What has to be done, in order.

    Attributes:
        actions: to be done now; a resource never comes before one that it needs.
        deferred: to be done once something slow is ready, because the run was asked not to wait for it.
        unmanaged: resources that carry our tags but are in no inventory, and are not ours to remove unasked.
    """

    actions: tuple[Action, ...] = ()
    deferred: tuple[Action, ...] = ()
    unmanaged: tuple[Observed, ...] = ()


@dataclass
class State:
    """What the planner and the executor know of a layer: the wanted, and what stands of it so far."""

    types: Mapping[str, ResourceType]
    wanted: Mapping[Key, Wanted]
    observed: dict[Key, Observed] = field(default_factory=dict)

    def lookup(self, ref: Ref) -> Any:
        """Return the value that a reference stands for: observed, else as wanted, else a placeholder."""
        key = (ref.kind, ref.name)
        standing = self.observed.get(key)
        value = standing.get(ref.attribute) if standing else None
        if value is None and key in self.wanted:
            value = self.wanted[key].attributes.get(ref.attribute)
        if value is None and key not in self.wanted and standing is None:
            raise EngineError(f"{ref.kind} {ref.name!r} is referred to, but neither wanted nor observed")
        return pending(ref.kind, ref.name, ref.attribute) if value is None else resolve(value, self.lookup)

    def resolved(self, item: Wanted) -> Wanted:
        """Return a wanted resource with its references replaced."""
        return replace(item, attributes=resolve(item.attributes, self.lookup), tags=resolve(item.tags, self.lookup))


def in_order(wanted: Iterable[Wanted]) -> list[list[Key]]:
    """Return the keys in levels: those of one level need only those of earlier levels.

    Raises:
        EngineError: if resources need each other in a circle.
    """
    items = {item.key: item for item in wanted}
    sorter = TopologicalSorter({key: item.needs & items.keys() for key, item in items.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise EngineError(f"These resources need each other: {error.args[1]}") from error
    levels: list[list[Key]] = []
    while sorter.is_active():
        level = sorter.get_ready()
        levels.append(sorted(level))
        sorter.done(*level)
    return levels


def make_plan(state: State, *, wait: bool = True, planned: Collection[str] = ()) -> Plan:
    """Return what brings the observed state to the wanted one.

    Args:
        state: the wanted and the observed.
        wait: whether the run will wait for slow resources; if not, what needs them is deferred.
        planned: identities of actions that an earlier task of the same dry run has announced already.

    Raises:
        PlanRefused: if a difference can only be mended by losing something.
    """
    refusals: list[str] = []
    actions: list[Action] = []
    deferred: list[Action] = []
    unready: set[Key] = set()
    for key in (key for level in in_order(state.wanted.values()) for key in level):
        own = _actions_of(state, key, refusals)
        held_back = not wait and any(need in unready for need in state.wanted[key].needs)
        (deferred if held_back and own else actions).extend(own)
        if _will_be_unready(state, key, own, held_back):
            unready.add(key)
    if refusals:
        raise PlanRefused(refusals)
    removals, unmanaged = _no_longer_wanted(state)
    (deferred if deferred else actions).extend(removals)
    return Plan(_without(actions, planned), _without(deferred, planned), tuple(unmanaged))


def removal_plan(state: State) -> Plan:
    """Return what removes everything observed, dependents first."""
    order = {key: n for n, level in enumerate(in_order(state.wanted.values())) for key in level}
    last = len(order)
    # What is not wanted has no place in that order; types are declared in the order in which they build on each other.
    kinds = {kind: n for n, kind in enumerate(state.types)}
    standing = sorted(
        (item for item in state.observed.values() if state.types[item.kind].removable),
        key=lambda item: (-order.get(item.key, last), -kinds[item.kind], item.key),
    )
    return Plan(tuple(_removal(state.types[item.kind], item) for item in standing))


def adoption_plan(state: State) -> Plan:
    """Return what makes the observed ours, which is tags and nothing else; all other differences are deferred.

    Raises:
        PlanRefused: if something stands in another way than is wanted, and cannot be changed.
    """
    plan = make_plan(state)
    tags = tuple(action for action in plan.actions if action.update is TAGS)
    return Plan(tags, tuple(action for action in plan.actions if action not in tags), plan.unmanaged)


def _without(actions: Iterable[Action], planned: Collection[str]) -> tuple[Action, ...]:
    return tuple(action for action in actions if action.identity not in planned)


def _will_be_unready(state: State, key: Key, own: Sequence[Action], held_back: bool) -> bool:
    """Tell whether others have to wait for this one: the same answer in a dry run and in the real one."""
    resource_type, standing = state.types[key[0]], state.observed.get(key)
    if held_back and own:
        return True
    if standing is None or any(action.verb == "replace" for action in own):
        return resource_type.slow
    return resource_type.slow and resource_type.readiness(standing) is not Readiness.READY


def _actions_of(state: State, key: Key, refusals: list[str]) -> list[Action]:
    resource_type, wanted = state.types[key[0]], state.resolved(state.wanted[key])
    objections = resource_type.objections(wanted, state.observed)
    if objections:
        refusals.extend(objections)
        return []
    standing = state.observed.get(key)
    if standing is None:
        return [_creation(resource_type, wanted)]
    different = list(_differences(resource_type, wanted, standing))
    return _changes(resource_type, wanted, standing, different, refusals)


def _creation(resource_type: ResourceType, wanted: Wanted) -> Action:
    after = {**wanted.attributes, **({"tags": dict(wanted.tags)} if wanted.tags else {})}
    differences = tuple(Difference(name, None, value) for name, value in after.items() if value is not None)
    return Action(
        "create", wanted.kind, wanted.name, resource_type.label, resource_type.creation, differences=differences
    )


def _differences(resource_type: ResourceType, wanted: Wanted, standing: Observed) -> Iterable[Difference]:
    for name, value in wanted.attributes.items():
        if value is None or name in resource_type.create_only or _inherits(resource_type, wanted, standing, name):
            continue
        if not resource_type.same(name, value, standing.get(name)):
            yield Difference(name, standing.get(name), value)
    missing = {name: value for name, value in (wanted.tags or {}).items() if standing.tags.get(name) != value}
    if missing:
        yield Difference("tags", {name: standing.tags.get(name) for name in missing}, missing)


def _inherits(resource_type: ResourceType, wanted: Wanted, standing: Observed, attribute: str) -> bool:
    """Tell whether an attribute is as those set it from whom the resource was taken over."""
    adopted = TAG_ADOPTED in standing.tags or TAG_ADOPTED in (wanted.tags or {})
    return adopted and attribute in resource_type.inherited and standing.get(attribute) is not None


def _changes(
    resource_type: ResourceType, wanted: Wanted, standing: Observed, different: list[Difference], refusals: list[str]
) -> list[Action]:
    updates = (*resource_type.updates, TAGS)
    covered = {name for update in updates for name in update.attributes}
    stuck = [item for item in different if item.attribute not in covered or _refused(resource_type, item)]
    label, key = resource_type.label, (wanted.kind, wanted.name)
    if stuck and resource_type.replaceable:
        return [Action("replace", *key, label, resource_type.creation, standing.id, None, tuple(different))]
    refusals.extend(_refusal(resource_type, standing, difference) for difference in stuck)
    result = []
    for update in updates:
        own = tuple(difference for difference in different if difference.attribute in update.attributes)
        if own:
            result.append(Action("update", *key, label, update.traits, standing.id, update, own))
    return result


def _refused(resource_type: ResourceType, difference: Difference) -> str:
    return resource_type.refuses(difference.attribute, difference.after, difference.before)


def _refusal(resource_type: ResourceType, standing: Observed, difference: Difference) -> str:
    mend = _refused(resource_type, difference) or resource_type.fixed.get(
        difference.attribute, "Set it back to what stands, or build a new one beside it."
    )
    return (
        f"The {difference.attribute} of {resource_type.label} {standing.name!r} ({standing.id}) is "
        f"{difference.before!r} and cannot become {difference.after!r} without replacing the {resource_type.label}. "
        f"{mend}"
    )


def _removal(resource_type: ResourceType, standing: Observed) -> Action:
    return Action("delete", *standing.key, resource_type.label, resource_type.deletion, standing.id)


def _no_longer_wanted(state: State) -> tuple[list[Action], list[Observed]]:
    extra = sorted((item for key, item in state.observed.items() if key not in state.wanted), key=lambda item: item.key)
    # Types are declared in the order in which they build on each other, so removal goes backwards.
    order = {kind: -n for n, kind in enumerate(state.types)}
    extra.sort(key=lambda item: order[item.kind])
    removals = [_removal(state.types[item.kind], item) for item in extra if state.types[item.kind].prune]
    return removals, [item for item in extra if not state.types[item.kind].prune]
