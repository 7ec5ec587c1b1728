# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying a plan out: in order, side by side where possible, and safe to begin again after any crash."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from .aws import Aws, describe_error, error_code, is_ambiguous, is_aws_error, is_throttled
from .errors import EngineError
from .model import TAGS, Key, Observed, Readiness, ResourceType, Scope
from .planner import Action, State, in_order, make_plan
from .values import is_pending
from .waiting import Patience, wait_until

#: Calls that one run has under way at the same time.
WORKERS = 8
#: Seconds until AWS shows a resource that a lost answer may have been about.
VISIBLE_AFTER = 10
#: Tries of one creation, lost answers and throttling counted alike.
CREATE_TRIES = 10


@dataclass
class Executor:
    """Applies actions to AWS and keeps the state up to date.

    Attributes:
        done: what was carried out, in order; complete also when an action fails.
    """

    aws: Aws
    state: State
    scopes: dict[str, Scope]
    done: list[Action] = field(default_factory=list)

    def observe(self) -> None:
        """Read all types of the layer, side by side."""
        with ThreadPoolExecutor(WORKERS) as pool:
            found = list(pool.map(self._observe_type, self.state.types.values()))
        self.state.observed = {item.key: self._with_memory(item) for items in found for item in items}

    def _with_memory(self, found: Observed) -> Observed:
        """Add what the run itself has learned by a change, which no description tells again."""
        earlier = self.state.observed.get(found.key)
        names = self.state.types[found.kind].remembered
        known = {name: earlier.attributes[name] for name in names if earlier and name in earlier.attributes}
        return replace(found, attributes={**found.attributes, **known}) if known else found

    def _observe_type(self, resource_type: ResourceType) -> list[Observed]:
        try:
            return resource_type.observe(self.aws, self.scopes[resource_type.kind])
        except Exception as error:
            if not is_aws_error(error):
                raise
            what = f"Could not read the {resource_type.label}s of {resource_type.service} in {self.aws.region}"
            raise EngineError(f"{what}: {describe_error(error)}") from error

    def apply(self, actions: Sequence[Action]) -> None:
        """Carry out a plan: creations and changes level by level, then removals one by one."""
        by_key: dict[Key, list[Action]] = {}
        removals = [action for action in actions if action.verb == "delete"]
        for action in actions:
            if action.verb != "delete":
                by_key.setdefault(action.key, []).append(action)
        for level in in_order(self.state.wanted.values()):
            self._side_by_side(by_key[key] for key in level if key in by_key)
        for action in removals:
            self._perform(action)

    def _side_by_side(self, groups: Iterable[list[Action]]) -> None:
        with ThreadPoolExecutor(WORKERS) as pool:
            futures = [pool.submit(self._perform_all, group) for group in groups]
        for future in futures:
            future.result()

    def _perform_all(self, group: list[Action]) -> None:
        for action in group:
            self._perform(action)

    def _perform(self, action: Action) -> None:
        try:
            {"create": self._create, "update": self._update, "replace": self._replace, "delete": self._delete}[
                action.verb
            ](action)
        except Exception as error:
            if not is_aws_error(error):
                raise
            where = f"{action.label} {action.name!r}" + (f" ({action.id})" if action.id else "")
            verb = f"{action.verb} the" if not action.update else f"change the {action.update.name} of the"
            raise EngineError(f"Could not {verb} {where} in {self.aws.region}: {describe_error(error)}") from error
        self.done.append(action)

    def _create(self, action: Action) -> None:
        resource_type = self.state.types[action.kind]
        self._await_needs(action.key)
        wanted = self.state.resolved(self.state.wanted[action.key])
        missing = [name for name, value in wanted.attributes.items() if is_pending(value)]
        if missing:
            raise EngineError(f"{action.label} {action.name!r} needs what AWS has not given out yet: {missing}")

        def find() -> Observed | None:
            found = resource_type.observe(self.aws, self.scopes[action.kind])
            return next((item for item in found if item.name == action.name), None)

        self.state.observed[action.key] = self._once(
            resource_type, action, lambda: resource_type.create(self.aws, wanted), find
        )

    def _once(
        self,
        resource_type: ResourceType,
        action: Action,
        create: Callable[[], Observed],
        find: Callable[[], Observed | None],
    ) -> Observed:
        """Create exactly one, whatever becomes of the answers.

        A call whose answer was lost may have been carried out, so it is only sent again once AWS has had time to
        show the resource and does not; and a call that AWS says will succeed later is repeated until it does.
        """
        started = time.monotonic()
        for attempt in range(CREATE_TRIES):
            try:
                return self._until_clear(resource_type, action, create, started)
            except Exception as error:
                if not is_aws_error(error) or attempt + 1 == CREATE_TRIES:
                    raise
                if is_ambiguous(error):
                    found = self._look(find)
                    if found is not None:
                        self._complete(action.key, found)
                        return found
                elif not is_throttled(error):
                    raise
            time.sleep(random.uniform(0, min(20.0, 0.25 * 2**attempt)))
        raise AssertionError("the last attempt either returns or raises")

    def _complete(self, key: Key, found: Observed) -> None:
        """Make up for the calls that would have followed the one whose answer was lost."""
        wanted = self.state.resolved(self.state.wanted[key])
        alone = State(self.state.types, {key: replace(wanted, after=())}, {key: found})
        self.state.observed[key] = found
        for action in make_plan(alone).actions:
            self._update(action)

    def _look(self, find: Callable[[], Observed | None]) -> Observed | None:
        deadline = time.monotonic() + min(VISIBLE_AFTER, self.aws.patience.timeout)
        pause = 0.1
        while True:
            found = find()
            if found is not None or time.monotonic() > deadline:
                return found
            time.sleep(pause)
            pause = min(pause * 2, 2)

    def _until_clear(
        self, resource_type: ResourceType, action: Action, call: Callable[[], Observed], started: float
    ) -> Observed:
        def check() -> tuple[Observed | None, str]:
            try:
                return call(), ""
            except Exception as error:
                reason = resource_type.transient(error) if is_aws_error(error) else ""
                limit = min(self.aws.patience.timeout, resource_type.clears_within)
                if not reason or time.monotonic() - started > limit:
                    raise
                return None, f"{reason} ({error_code(error)})"

        what = f"{action.label} {action.name!r} in {self.aws.region}"
        return wait_until(check, what, 30, self.aws.patience, self.aws.progress)

    def _update(self, action: Action) -> None:
        resource_type, update = self.state.types[action.kind], action.update or TAGS
        self._await_needs(action.key)
        wanted = self.state.resolved(self.state.wanted[action.key])
        standing = self.state.observed[action.key]
        if update is TAGS:
            resource_type.set_tags(self.aws, standing, dict(wanted.tags or {}))
            return

        def change() -> Observed:
            return resource_type.update(self.aws, update, wanted, standing) or standing

        self.state.observed[action.key] = self._until_clear(resource_type, action, change, time.monotonic())

    def _replace(self, action: Action) -> None:
        resource_type = self.state.types[action.kind]
        resource_type.delete(self.aws, self.state.observed.pop(action.key))
        self._create(action)

    def _delete(self, action: Action) -> None:
        resource_type = self.state.types[action.kind]
        standing = self.state.observed.pop(action.key)

        def remove() -> Observed:
            resource_type.delete(self.aws, standing)
            return standing

        self._until_clear(resource_type, action, remove, time.monotonic())
        self._await_gone(resource_type, standing)

    def _await_gone(self, resource_type: ResourceType, standing: Observed) -> None:
        scope = self.scopes[resource_type.kind]

        def check() -> tuple[bool | None, str]:
            left = resource_type.refresh(self.aws, scope, standing)
            return (True, "") if left is None else (None, left.status or "there")

        what = f"the removal of {resource_type.label} {standing.name!r} ({standing.id}) in {self.aws.region}"
        wait_until(check, what, resource_type.deletion.seconds, self.aws.patience, self.aws.progress)

    def _await_needs(self, key: Key) -> None:
        for need in sorted(self.state.wanted[key].needs if key in self.state.wanted else ()):
            self.await_ready(need)

    def await_ready(self, key: Key) -> None:
        """Wait until a resource can be used.

        Raises:
            EngineError: if it ends in a state that it does not leave by itself, or the time is over.
        """
        standing = self.state.observed.get(key)
        resource_type = self.state.types[key[0]]
        if standing is None or resource_type.readiness(standing) is Readiness.READY:
            return
        what = f"{resource_type.label} {standing.name!r} ({standing.id}) in {self.aws.region}"
        scope = self.scopes[key[0]]

        def check() -> tuple[Observed | None, str]:
            now = resource_type.refresh(self.aws, scope, standing) or replace(standing, status="not visible yet")
            readiness = resource_type.readiness(now)
            if readiness is Readiness.FAILED:
                reason = str(now.get("failure") or "AWS gives no reason").rstrip(".")
                raise EngineError(f"{what} is {now.status}: {reason}. {resource_type.failed}")
            state = ": ".join(filter(None, (now.status, now.get("failure"))))
            return (self._with_memory(now) if readiness is Readiness.READY else None), state

        typical, patience, mend = resource_type.creation.seconds, self._patience(resource_type), resource_type.stuck
        more = (mend,) if mend else ()
        self.state.observed[key] = wait_until(check, what, typical, patience, self.aws.progress, *more)

    def _patience(self, resource_type: ResourceType) -> Patience:
        patience, bound = self.aws.patience, resource_type.ready_within
        return replace(patience, timeout=min(patience.timeout, bound)) if bound else patience

    def await_all(self) -> None:
        """Wait until everything that is wanted can be used."""
        keys = [key for key in self.state.wanted if key in self.state.observed]
        with ThreadPoolExecutor(WORKERS) as pool:
            for future in [pool.submit(self.await_ready, key) for key in keys]:
                future.result()
