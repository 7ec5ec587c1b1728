"""Model time, and the data file of durations."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
import yaml
from pipeops_sandbox.clock import Clock, Timeline, states


def rows() -> dict[str, dict[str, Any]]:
    text = resources.files("pipeops_sandbox").joinpath("data/durations.yml").read_text("utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return loaded


@pytest.mark.parametrize("step", sorted(rows()))
def test_each_duration_has_a_source(step: str) -> None:
    row = rows()[step]
    service, _, name = step.partition(":")
    assert service and name
    assert row["seconds"] >= 0
    assert len(row["source"]) > 3


def test_the_instant_profile_takes_no_time_and_the_other_takes_what_it_says() -> None:
    clock = Clock()
    assert clock.duration("ec2:nat_gateway_create") == 0
    clock.set("aws")
    assert clock.duration("ec2:nat_gateway_create") == 120
    with pytest.raises(KeyError):
        clock.duration("ec2:no_such_step")


def test_model_time_goes_on_without_a_jump() -> None:
    clock = Clock()
    before = clock.now()
    clock.set("aws", 1000)
    assert clock.now() - before < 60
    with pytest.raises(ValueError, match="scale is 0"):
        clock.set(scale=0)
    with pytest.raises(ValueError, match="profile is 'slow'"):
        clock.set("slow")


def test_a_timeline_holds_each_state_for_its_time() -> None:
    line = Timeline.start(100, ("creating", 10), ("backing-up", 5), last="available")
    assert [line.state(at) for at in (100, 109, 110, 114, 115, 9999)] == [
        "creating", "creating", "backing-up", "backing-up", "available", "available",
    ]  # fmt: skip
    assert (line.first, line.settled(114), line.settled(115)) == ("creating", False, True)
    assert states(line) == ["creating", "backing-up", "available"]
