# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity, Scope
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import (
    Plan,
    make_plan,
    removal_plan,
)
from ansible_collections.pipeops.platform.plugins.module_utils.engine.values import Ref, is_pending

from .cloud import standing, state_of, thing


def identities(plan: Plan) -> list[str]:
    return [action.identity for action in plan.actions]


@pytest.mark.parametrize(
    ("wanted", "observed", "actions"),
    [
        pytest.param(thing("a", size=1), None, ["create/thing/a"], id="missing"),
        pytest.param(thing("a", size=1), standing("a", size=1), [], id="as wanted"),
        pytest.param(thing("a", size=2), standing("a", size=1), ["update/thing/a/size"], id="differs"),
        pytest.param(thing("a", size=None), standing("a", size=1), [], id="unset means untouched"),
        pytest.param(thing("a", seed=2), standing("a", seed=1), [], id="counts at creation only"),
        pytest.param(thing("a", friends=["x", "y"]), standing("a", friends=["y", "x"]), [], id="a list that is a set"),
        pytest.param(
            thing("a", shade="dark", colour="red", size=2),
            standing("a", shade="light", colour="blue", size=1),
            ["update/thing/a/size", "update/thing/a/colour"],
            id="attributes that one call sets are one action",
        ),
        pytest.param(
            thing("a", tags={"x": "1"}),
            standing("a", tags={"x": "2", "theirs": "3"}),
            ["update/thing/a/tags"],
            id="a tag differs",
        ),
        pytest.param(
            thing("a", tags={"x": "1"}), standing("a", tags={"x": "1", "theirs": "3"}), [], id="tags of others"
        ),
        pytest.param(
            thing("a", "disposable", shape="round"),
            standing("a", "disposable", shape="square"),
            ["replace/disposable/a"],
            id="what holds nothing is replaced",
        ),
        pytest.param(None, standing("a", "disposable"), ["delete/disposable/a"], id="no longer wanted"),
    ],
)
def test_plan(wanted, observed, actions) -> None:
    state = state_of(*(item for item in (wanted, observed) if item))
    assert identities(make_plan(state)) == actions


def test_what_holds_something_is_never_replaced() -> None:
    with pytest.raises(PlanRefused) as refused:
        make_plan(state_of(thing("a", shape="round", size=2), standing("a", shape="square", size=1)))
    for part in ("shape", "'a'", "thing-a", "'square'", "'round'", "Make another one.", "nothing was changed"):
        assert part in str(refused.value)


def test_a_change_that_goes_one_way_only_is_refused_the_other_way() -> None:
    with pytest.raises(PlanRefused, match="Leave it as large as it is"):
        make_plan(state_of(thing("a", size=1), standing("a", size=2)))


def test_every_refusal_is_told_at_once() -> None:
    items = [thing("a", shape=1), standing("a", shape=2), thing("b", shape=1), standing("b", shape=2)]
    with pytest.raises(PlanRefused) as refused:
        make_plan(state_of(*items))
    assert len(refused.value.reasons) == 2


def test_what_holds_something_and_is_no_longer_wanted_is_reported_only() -> None:
    plan = make_plan(state_of(standing("a")))
    assert not plan.actions
    assert [item.name for item in plan.unmanaged] == ["a"]


def test_a_resource_comes_after_what_it_needs() -> None:
    plan = make_plan(state_of(thing("a", home=Ref("thing", "z")), thing("z")))
    assert identities(plan) == ["create/thing/z", "create/thing/a"]


def test_a_value_that_is_not_known_yet_is_a_placeholder() -> None:
    plan = make_plan(state_of(thing("a", size=Ref("thing", "z")), thing("z")))
    created = next(action for action in plan.actions if action.name == "a")
    assert is_pending(created.differences[0].after)
    assert "thing.id:z" in created.differences[0].after


def test_a_value_that_the_other_is_wanted_with_is_known() -> None:
    plan = make_plan(state_of(thing("a", size=Ref("thing", "z", "size")), thing("z", size=7)))
    assert next(action for action in plan.actions if action.name == "a").differences[0].after == 7


def test_resources_that_need_each_other_are_an_error() -> None:
    with pytest.raises(EngineError, match="need each other"):
        make_plan(state_of(thing("a", x=Ref("thing", "b")), thing("b", x=Ref("thing", "a"))))


def test_a_reference_to_nothing_is_an_error() -> None:
    with pytest.raises(EngineError, match="neither wanted nor observed"):
        make_plan(state_of(thing("a", x=Ref("thing", "nowhere"))))


class TestWithoutWaiting:
    """``wait: false``: what needs something slow is left for later, the same in a dry run and in a real one."""

    slow_and_more = (thing("s", "slow"), thing("a", home=Ref("slow", "s")), thing("b", home=Ref("thing", "a")))

    def test_what_needs_something_slow_is_deferred(self) -> None:
        plan = make_plan(state_of(*self.slow_and_more), wait=False)
        assert identities(plan) == ["create/slow/s"]
        assert [action.identity for action in plan.deferred] == ["create/thing/a", "create/thing/b"]

    def test_it_is_deferred_while_that_is_not_ready(self) -> None:
        plan = make_plan(state_of(*self.slow_and_more, standing("s", "slow", status="coming")), wait=False)
        assert not plan.actions
        assert len(plan.deferred) == 2

    def test_it_is_done_at_once_when_that_is_ready(self) -> None:
        plan = make_plan(state_of(*self.slow_and_more, standing("s", "slow", status="ready")), wait=False)
        assert identities(plan) == ["create/thing/a", "create/thing/b"]
        assert not plan.deferred

    def test_removals_wait_for_what_is_deferred(self) -> None:
        plan = make_plan(state_of(*self.slow_and_more, standing("old", "disposable")), wait=False)
        assert [action.identity for action in plan.deferred][-1] == "delete/disposable/old"

    def test_the_second_task_announces_only_what_the_first_did_not(self) -> None:
        first = make_plan(state_of(*self.slow_and_more), wait=False)
        second = make_plan(state_of(*self.slow_and_more), planned=identities(first))
        assert identities(second) == ["create/thing/a", "create/thing/b"]


def test_removal_goes_backwards() -> None:
    state = state_of(thing("a", home=Ref("thing", "z")), thing("z"), standing("a"), standing("z"), standing("stray"))
    assert identities(removal_plan(state)) == ["delete/thing/stray", "delete/thing/a", "delete/thing/z"]


def test_an_action_tells_what_it_means() -> None:
    (action,) = make_plan(state_of(thing("a", size=2), standing("a", size=1))).actions
    told = action.as_dict()
    assert told["interrupts"] == "its users"
    assert told["typical_seconds"] == 60
    assert told["reversible"] is True
    assert told["differences"] == [{"attribute": "size", "before": 1, "after": 2}]


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"pipeops:platform": "pipeops", "pipeops:environment": "prod", "pipeops:component": "network/main"}, "main"),
        ({"pipeops:platform": "other", "pipeops:environment": "prod", "pipeops:component": "network/main"}, None),
        ({"pipeops:platform": "pipeops", "pipeops:environment": "dev", "pipeops:component": "network/main"}, None),
        ({"pipeops:platform": "pipeops", "pipeops:environment": "prod", "pipeops:component": "dns/main"}, None),
        ({}, None),
    ],
)
def test_only_the_owner_tags_of_a_layer_make_a_resource_its_own(tags: dict[str, str], name: str | None) -> None:
    scope = Scope(Identity("pipeops", "prod"), "network", "us-west-2", {})
    assert scope.owns(tags) == name
    assert scope.owns(Identity("pipeops", "prod").tags(scope.component("main"))) == "main"
