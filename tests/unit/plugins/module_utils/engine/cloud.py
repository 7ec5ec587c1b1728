# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cloud in a dictionary, to see what the engine does without AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import (
    Observed,
    Readiness,
    ResourceType,
    Scope,
    Traits,
    Update,
    Wanted,
)
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import State
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience


@dataclass
class Cloud:
    """What stands, and a log of what was asked for. ``on_call`` may raise before or after a call is carried out."""

    standing: dict[tuple[str, str], Observed] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    before_call: Callable[[str], None] = lambda _call: None
    after_call: Callable[[str], None] = lambda _call: None
    region: str = "us-west-2"
    patience: Patience = field(default_factory=lambda: Patience(timeout=2, delay=0.01))

    def progress(self, text: str) -> None:
        self.log.append(text)

    def call(self, name: str, carry_out: Callable[[], Any]) -> Any:
        self.before_call(name)
        self.log.append(name)
        result = carry_out()
        self.after_call(name)
        return result


class Thing(ResourceType):
    """A type with one attribute of each nature."""

    kind = "thing"
    label = "thing"
    service = "things"
    creation = Traits(seconds=5)
    updates = (
        Update("size", ("size",), Traits(seconds=60, interrupts="its users")),
        Update("colour", ("colour", "shade")),
    )
    fixed = {"shape": "Make another one."}
    create_only = frozenset({"seed"})
    unordered = frozenset({"friends"})

    def observe(self, aws: Any, scope: Scope) -> list[Observed]:
        return [item for item in aws.standing.values() if item.kind == self.kind]

    def create(self, aws: Any, wanted: Wanted) -> Observed:
        made = Observed(self.kind, wanted.name, f"{self.kind}-{wanted.name}", wanted.attributes, wanted.tags or {})

        def carry_out() -> Observed:
            assert made.key not in aws.standing, "made twice"
            aws.standing[made.key] = made
            return made

        made = aws.call(f"create {wanted.name}", carry_out)
        return made

    def update(self, aws: Any, update: Update, wanted: Wanted, observed: Observed) -> None:
        new = {name: wanted.attributes.get(name) for name in update.attributes if name in wanted.attributes}
        standing = aws.standing[observed.key]
        changed = replace(standing, attributes={**standing.attributes, **new})
        aws.call(f"update {update.name} of {wanted.name}", lambda: aws.standing.update({observed.key: changed}))

    def set_tags(self, aws: Any, observed: Observed, tags: Mapping[str, str]) -> None:
        changed = replace(aws.standing[observed.key], tags={**observed.tags, **tags})
        aws.call(f"tag {observed.name}", lambda: aws.standing.update({observed.key: changed}))

    def delete(self, aws: Any, observed: Observed) -> None:
        aws.call(f"delete {observed.name}", lambda: aws.standing.pop(observed.key, None))

    def refuses(self, attribute: str, wanted: Any, observed: Any) -> str:
        return "Leave it as large as it is." if attribute == "size" and wanted < observed else ""


class Disposable(Thing):
    kind = "disposable"
    label = "disposable"
    replaceable = True
    prune = True


class Slow(Thing):
    """Becomes ready when somebody has looked twice."""

    kind = "slow"
    label = "slow thing"
    slow = True

    def __init__(self) -> None:
        self.looks = 0

    def refresh(self, aws: Any, scope: Scope, observed: Observed) -> Observed | None:
        self.looks += 1
        found = aws.standing.get(observed.key)
        return replace(found, status="ready" if self.looks > 1 else "coming") if found else None

    def create(self, aws: Any, wanted: Wanted) -> Observed:
        return replace(super().create(aws, wanted), status="coming")

    def readiness(self, observed: Observed) -> Readiness:
        return {"coming": Readiness.WAIT, "broken": Readiness.FAILED}.get(observed.status, Readiness.READY)


TYPES = (Thing, Disposable, Slow)


def thing(name: str, kind: str = "thing", *, tags: dict[str, str] | None = None, **attributes: Any) -> Wanted:
    return Wanted(kind, name, attributes, tags)


def standing(
    name: str, kind: str = "thing", *, status: str = "", tags: dict[str, str] | None = None, **attributes: Any
) -> Observed:
    return Observed(kind, name, f"{kind}-{name}", attributes, tags or {}, status)


def state_of(*items: Wanted | Observed) -> State:
    """Return a state in which the wanted and the observed items are as given."""
    wanted = {item.key: item for item in items if isinstance(item, Wanted)}
    observed = {item.key: item for item in items if isinstance(item, Observed)}
    return State({kind.kind: kind() for kind in TYPES}, wanted, observed)
