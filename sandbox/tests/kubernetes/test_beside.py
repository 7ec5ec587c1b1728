"""Clusters that are made while the programs are still being built, as a first ``make demo`` makes them."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pipeops_sandbox.kubernetes import programs


@pytest.fixture
def building(tmp_path: Path) -> Iterator[Any]:
    """An empty cache in which somebody builds: its directory, and the lock to let go."""
    if programs.installed() or programs.cached() is None:
        pytest.skip("programs in the cache are needed: python -m pipeops_sandbox kubernetes build")
    place = tmp_path / "cache" / "pipeops" / "kubernetes"
    place.mkdir(parents=True)
    with (place / f"{programs.place().name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield place, lock


def status(stand: Any) -> str:
    return str(stand.client("eks").describe_cluster(name="prod")["cluster"]["status"])


def test_a_cluster_is_creating_until_the_build_is_done(idle: Any, building: Any) -> None:
    place, lock = building
    assert idle.run("up", "--data-plane", "kubernetes", XDG_CACHE_HOME=str(place.parents[1])).returncode == 0
    assert idle.control("GET", "health")["kubernetes"] == "being built"
    idle.create("prod")
    until = time.monotonic() + 2
    while time.monotonic() < until:
        assert status(idle) == "CREATING"
    (place / programs.place().name).symlink_to(programs.place())
    fcntl.flock(lock, fcntl.LOCK_UN)
    idle.active("prod")
    assert idle.cluster().ask("GET", "/readyz")[0] == 200


def test_a_build_that_fails_leaves_the_cluster_without_a_server(idle: Any, building: Any) -> None:
    place, lock = building
    assert idle.run("up", "--data-plane", "kubernetes", XDG_CACHE_HOME=str(place.parents[1])).returncode == 0
    idle.create("prod")
    assert status(idle) == "CREATING"
    fcntl.flock(lock, fcntl.LOCK_UN)
    idle.active("prod")
    assert [one["state"] for one in idle.control("GET", "kubernetes")["clusters"]] == ["none"]
    idle.create("dr", "us-east-1")
    assert idle.active("dr", "us-east-1")["endpoint"].endswith(".eks.amazonaws.com"), "as on a machine without programs"
