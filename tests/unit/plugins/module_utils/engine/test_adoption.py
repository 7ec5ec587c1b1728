# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.adoption import refuse_missing, taken_over
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import TAG_ADOPTED, Identity
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import State, adoption_plan, make_plan

from .cloud import Thing, standing, state_of, thing

PROD = Identity("pipeops", "prod")
OURS = PROD.tags("network/a")


class House(Thing):
    """A thing that keeps its shape when it changes hands."""

    inherited = frozenset({"shape"})


def houses(*items) -> State:
    state = state_of(*items)
    return State({**state.types, "thing": House()}, state.wanted, state.observed)


def test_tags_are_all_that_a_takeover_changes() -> None:
    state = state_of(
        thing("a", tags=OURS, size=2), standing("a", tags={"theirs": "1"}, size=1), thing("b", tags=OURS, size=1)
    )
    plan = adoption_plan(state)
    assert [action.identity for action in plan.actions] == ["update/thing/a/tags"]
    assert [action.identity for action in plan.deferred] == ["update/thing/a/size", "create/thing/b"]


def test_what_differs_for_good_is_refused_before_it_is_taken_over() -> None:
    with pytest.raises(PlanRefused, match="Make another one"):
        adoption_plan(state_of(thing("a", tags=OURS, shape="round"), standing("a", shape="square")))


@pytest.mark.parametrize(
    ("wanted_tags", "standing_tags", "shape", "refused"),
    [
        pytest.param(OURS, {**OURS, TAG_ADOPTED: "true"}, "square", False, id="taken over before"),
        pytest.param({**OURS, TAG_ADOPTED: "true"}, {}, "square", False, id="being taken over"),
        pytest.param(OURS, OURS, "square", True, id="made here"),
        pytest.param(OURS, {**OURS, TAG_ADOPTED: "true"}, None, True, id="nobody ever set it"),
    ],
)
def test_an_adopted_one_keeps_what_it_inherits(wanted_tags, standing_tags, shape, refused) -> None:
    state = houses(thing("a", tags=wanted_tags, shape="round"), standing("a", tags=standing_tags, shape=shape))
    if refused:
        with pytest.raises(PlanRefused):
            make_plan(state)
    else:
        assert not [a for a in make_plan(state).actions if a.identity != "update/thing/a/tags"]


def test_what_is_new_to_us_is_marked_and_what_was_ours_is_not() -> None:
    state = state_of(thing("a", tags=OURS), standing("a"), thing("b", tags=OURS), standing("b", tags=OURS), thing("c"))
    wanted = taken_over(state, PROD)
    assert [name for (_kind, name), item in wanted.items() if TAG_ADOPTED in (item.tags or {})] == ["a"]


@pytest.mark.parametrize("other", [Identity("pipeops", "staging"), Identity("shop", "prod")])
def test_what_belongs_to_somebody_else_is_refused(other) -> None:
    state = state_of(thing("a", tags=OURS), standing("a", tags=other.tags("network/a")))
    with pytest.raises(PlanRefused, match=f"'{other.environment}' of platform '{other.platform}'.*Destroy"):
        taken_over(state, PROD)


def test_what_it_is_about_has_to_stand() -> None:
    state = state_of(thing("a", identifier="mine", tags=OURS))
    with pytest.raises(PlanRefused, match=r"There is no thing mine to take over\. Set the name\."):
        refuse_missing({("thing", "a"): "Set the name."}, state)
