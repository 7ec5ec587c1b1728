# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine import layer as layer_module
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import (
    COMMON_ARGUMENT_SPEC,
    Layer,
    run_layer,
)
from ansible_collections.pipeops.platform.plugins.module_utils.engine.values import Ref

from .cloud import TYPES, Cloud, thing

PARAMS = {name: option.get("default") for name, option in COMMON_ARGUMENT_SPEC.items()} | {"environment": "prod"}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The cloud that layers reach in place of AWS."""
    cloud = Cloud()
    monkeypatch.setattr(layer_module, "Aws", lambda _params, _progress: cloud)
    return cloud


def layer_of(*wanted: Any) -> Layer:
    def outputs(view: Any, _params: Mapping[str, Any]) -> dict[str, Any]:
        return {item.name: view.get(item.kind, item.name) for item in wanted}

    return Layer("things", tuple(kind() for kind in TYPES), lambda _params, _context: wanted, outputs)


SLOW = (thing("s", "slow"), thing("a", home=Ref("slow", "s")))


def run(layer: Layer, *, check: bool = False, **params: Any) -> dict[str, Any]:
    return run_layer(layer, {**PARAMS, **params}, check_mode=check)


def actions(result: dict[str, Any]) -> list[str]:
    return [action["action"] for action in result["actions"]]


def test_a_dry_run_changes_nothing_and_tells_what_the_run_does(cloud: Cloud) -> None:
    predicted = run(layer_of(*SLOW), check=True)
    assert cloud.log == []
    applied = run(layer_of(*SLOW))
    assert actions(predicted) == actions(applied) == ["create/slow/s", "create/thing/a"]
    assert predicted["outputs"] == {"s": "pending:slow.id:s", "a": "pending:thing.id:a"}
    assert applied["outputs"] == {"s": "slow-s", "a": "thing-a"}
    again = run(layer_of(*SLOW))
    assert not again["changed"]
    assert again["settled"]


@pytest.mark.parametrize("check", [True, False])
def test_starting_and_finishing_add_up(cloud: Cloud, check: bool) -> None:
    first = run(layer_of(*SLOW), check=check, wait=False)
    assert actions(first) == ["create/slow/s"]
    assert [action["action"] for action in first["deferred"]] == ["create/thing/a"]
    assert not first["settled"]
    second = run(layer_of(*SLOW), check=check, started=first)
    assert actions(second) == ["create/thing/a"]


def test_what_was_deferred_is_not_missed_when_it_could_be_done_by_now(cloud: Cloud) -> None:
    # The cloud describes the slow thing as ready as soon as it is looked at again.
    assert actions(run(layer_of(*SLOW), wait=False)) == ["create/slow/s"]


def test_what_was_settled_is_not_asked_for_again(cloud: Cloud) -> None:
    first = run(layer_of(thing("a")), wait=False)
    assert first["settled"]
    cloud.standing.clear()
    second = run(layer_of(thing("a")), started=first)
    assert second["outputs"] == first["outputs"]
    assert not second["changed"]


def test_an_error_tells_what_was_done_before(cloud: Cloud) -> None:
    def fail(call: str) -> None:
        if call == "create b":
            raise EngineError("no more things")

    cloud.before_call = fail
    with pytest.raises(EngineError, match="no more things") as error:
        run(layer_of(thing("a"), thing("b", home=Ref("thing", "a"))))
    assert [action["action"] for action in error.value.done] == ["create/thing/a"]


def test_a_change_that_does_not_last_is_an_error(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_module, "SETTLES_AFTER", 0.05)
    run(layer_of(thing("a", size=1)))
    monkeypatch.setattr(TYPES[0], "update", lambda *_args: None)
    with pytest.raises(EngineError, match=r"another state of thing 'a': \['size'\]"):
        run(layer_of(thing("a", size=2)))


def test_removal_leaves_nothing(cloud: Cloud) -> None:
    run(layer_of(*SLOW))
    assert actions(run(layer_of(*SLOW), state="absent")) == ["delete/thing/a", "delete/slow/s"]
    assert not cloud.standing
    assert not run(layer_of(*SLOW), state="absent")["changed"]
