# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine import executor as executor_module
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.executor import Executor
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity, Observed, Scope, Wanted
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import make_plan, removal_plan
from ansible_collections.pipeops.platform.plugins.module_utils.engine.values import Ref

from .cloud import TYPES, Cloud, Slow, Thing, standing, state_of, thing


def aws_error(code: str, status: int = 400) -> botocore.exceptions.ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "told by AWS"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(answer, "Create")


LOST = botocore.exceptions.ConnectionClosedError(endpoint_url="http://aws")


class Failing:
    """Raises these errors on the first calls of a name, then no more."""

    def __init__(self, call: str, *errors: Exception) -> None:
        self.call, self.errors = call, list(errors)

    def __call__(self, call: str) -> None:
        if call == self.call and self.errors:
            raise self.errors.pop(0)


def executor_of(cloud: Cloud, *items: Wanted | Observed) -> Executor:
    state = state_of(*items)
    cloud.standing.update(state.observed)
    scopes = {kind.kind: Scope(Identity("pipeops", "prod"), "layer", "us-west-2", {}) for kind in TYPES}
    return Executor(cloud, state, scopes)  # type: ignore[arg-type]


def carry_out(cloud: Cloud, *items: Wanted | Observed) -> Executor:
    executor = executor_of(cloud, *items)
    executor.apply(make_plan(executor.state).actions)
    return executor


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor_module, "VISIBLE_AFTER", 0.05)


def test_a_reference_gets_the_value_that_aws_gave_out() -> None:
    cloud = Cloud()
    carry_out(cloud, thing("a", home=Ref("thing", "z")), thing("z"))
    assert cloud.log == ["create z", "create a"]
    assert cloud.standing["thing", "a"].attributes["home"] == "thing-z"


def test_dependents_wait_until_it_is_ready() -> None:
    cloud = Cloud()
    executor = carry_out(cloud, thing("s", "slow"), thing("a", home=Ref("slow", "s")))
    slow = executor.state.types["slow"]
    assert isinstance(slow, Slow)
    assert slow.looks == 2
    assert cloud.log == ["create s", "create a"]


def test_an_answer_that_was_lost_makes_no_second_one() -> None:
    cloud = Cloud(after_call=Failing("create a", LOST))
    carry_out(cloud, thing("a"))
    assert cloud.log == ["create a"]


def test_what_should_have_followed_a_lost_answer_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = standing("a", size=1, colour="red")

    def create(_self: Thing, aws: Cloud, _wanted: Wanted) -> Observed:
        aws.standing[bare.key] = bare
        raise LOST

    monkeypatch.setattr(Thing, "create", create)
    cloud = Cloud()
    carry_out(cloud, thing("a", size=3, colour="red"))
    assert cloud.log == ["update size of a"]
    assert cloud.standing["thing", "a"].attributes["size"] == 3


def test_an_error_that_should_clear_and_does_not_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Thing, "transient", lambda _self, _error: "the role is not known yet")
    monkeypatch.setattr(Thing, "clears_within", 0.05)
    cloud = Cloud(before_call=Failing("create a", *[aws_error("InvalidParameterException")] * 1000))
    with pytest.raises(EngineError, match="InvalidParameterException"):
        carry_out(cloud, thing("a"))


def test_a_call_that_was_lost_is_sent_again() -> None:
    cloud = Cloud(before_call=Failing("create a", LOST, LOST))
    carry_out(cloud, thing("a"))
    assert cloud.log == ["create a"]


@pytest.mark.parametrize("error", [aws_error("Throttling"), aws_error("InternalError", 500)])
def test_errors_that_clear_are_tried_again(error: Exception) -> None:
    cloud = Cloud(before_call=Failing("create a", error))
    carry_out(cloud, thing("a"))
    assert cloud.log == ["create a"]


def test_an_error_that_does_not_clear_ends_the_run_and_says_what_where_and_how() -> None:
    cloud = Cloud(before_call=Failing("create a", *[aws_error("UnauthorizedOperation")] * 3))
    executor = executor_of(cloud, thing("a"), thing("z"))
    with pytest.raises(EngineError) as error:
        executor.apply(make_plan(executor.state).actions)
    for part in ("create the thing 'a'", "us-west-2", "UnauthorizedOperation", "told by AWS", "Grant this action"):
        assert part in str(error.value)
    assert [action.name for action in executor.done] == ["z"], "what could be done is done and told"


def test_what_the_type_knows_to_clear_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Thing, "transient", lambda _self, _error: "the role is not known yet")
    cloud = Cloud(before_call=Failing("create a", *[aws_error("InvalidParameterException")] * 4))
    carry_out(cloud, thing("a"))
    assert cloud.log == ["create a"]


def test_a_state_that_it_does_not_leave_by_itself_is_an_error_with_the_reason() -> None:
    cloud = Cloud()
    executor = executor_of(cloud, thing("s", "slow"), standing("s", "slow", status="broken", failure="no addresses"))
    slow = executor.state.types["slow"]
    assert isinstance(slow, Slow)
    slow.refresh = lambda _aws, _scope, item: item  # type: ignore[method-assign]
    with pytest.raises(EngineError, match=r"slow-s.*is broken: no addresses\. Mend that, or remove it"):
        executor.await_ready(("slow", "s"))


def test_the_wait_ends() -> None:
    cloud = Cloud()
    executor = executor_of(cloud, thing("s", "slow"), standing("s", "slow", status="coming"))
    slow = executor.state.types["slow"]
    assert isinstance(slow, Slow)
    slow.refresh = lambda _aws, _scope, item: item  # type: ignore[method-assign]
    with pytest.raises(EngineError, match=r"Gave up on slow thing 's'.*still coming"):
        executor.await_ready(("slow", "s"))


def test_removal_takes_dependents_first() -> None:
    cloud = Cloud()
    items = (thing("a", home=Ref("thing", "z")), thing("z"), standing("a"), standing("z"))
    executor = executor_of(cloud, *items)
    executor.apply(removal_plan(executor.state).actions)
    assert cloud.log == ["delete a", "delete z"]


def test_what_is_replaced_is_gone_before_the_new_one_comes() -> None:
    cloud = Cloud()
    carry_out(cloud, thing("a", "disposable", shape=1), standing("a", "disposable", shape=2))
    assert cloud.log == ["delete a", "create a"]


def test_a_killed_run_is_carried_on_by_the_next() -> None:
    """Killed after every call in turn; the run after it ends in the same state, and nothing is made twice."""
    items = (thing("a", home=Ref("thing", "z")), thing("z", size=1), thing("s", "slow", near=Ref("thing", "a")))

    class Killed(BaseException):
        pass

    for nth in range(3):
        cloud = Cloud()
        cloud.after_call = _raise_on_call(nth, Killed)
        with pytest.raises(Killed):
            carry_out(cloud, *items)
        cloud.after_call = lambda _call: None
        carry_out(cloud, *items, *cloud.standing.values())
        assert sorted(cloud.log) == ["create a", "create s", "create z"]


def _raise_on_call(nth: int, error: type[BaseException]) -> Callable[[str], None]:
    count = itertools.count()

    def raise_on_call(_call: str) -> None:
        if next(count) == nth:
            raise error

    return raise_on_call
