# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An environment goes to sleep and wakes as it was, from every half of it, and whoever comes meanwhile is told."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.platform_runs import ROOT, Platform, Run

NAME, DAY = "pipeops-dev", 24 * 3600
HIBERNATE, WAKE, DRIFT = (f"playbooks/{name}.yml" for name in ("hibernate", "wake", "drift"))
GROUPS: dict[str, Any] = {"eks_compute": "managed_node_groups"}
NIGHTS = {"hibernation_schedule": {"evening": "cron(0 20 ? * * *)", "morning": "cron(0 7 ? * * *)"}}
WITHOUT_NAT = {"hibernation_nat": "remove"}


@pytest.fixture(scope="module")
def _dev_once(_server: Platform) -> str:
    """Stand dev up once, and return the name of the snapshot that keeps it."""
    _server.begin()
    first = _server.playbook("dev")
    assert first.status == 0, first.output[-4000:]
    _server.control("POST", "snapshot", name="dev-awake")
    return "dev-awake"


@pytest.fixture
def dev(_server: Platform, _dev_once: str) -> Platform:
    _server.begin()
    _server.control("POST", "restore", name=_dev_once)
    return _server


def done(run: Run) -> Run:
    assert run.status == 0, run.output[-4000:]
    return run


def database(stand: Platform) -> str:
    rds = stand.client("rds")
    rds.describe_db_instances()
    return str(rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"][0]["DBInstanceStatus"])


def gateways(stand: Platform) -> int:
    listed = stand.client("ec2").describe_nat_gateways()["NatGateways"]
    return sum(one["State"] == "available" for one in listed)


def nothing(run: Run) -> bool:
    """Tell whether a run changed nothing, and said so."""
    return done(run).mutations == [] and not run.tasks("dev")


def told_as_asleep(dev: Platform) -> None:
    """Insist that whoever comes meanwhile is told, and changes nothing."""
    refused = dev.playbook("dev")
    assert (refused.status, refused.mutations, refused.lock_writes) == (2, [], 0)
    told = " ".join(refused.output.split())
    assert "pipeops-dev is hibernated, since 20" in told
    assert "Nothing was changed. Wake it first: ansible-playbook playbooks/wake.yml -i inventories/dev" in told
    drift = done(dev.playbook("dev", playbook=DRIFT))
    assert "not compared: pipeops-dev is hibernated, since" in drift.output
    (page,) = re.findall(r"Report: (\S+)", drift.output)
    report = json.loads((ROOT / page).with_suffix(".json").read_text("utf-8"))
    assert (report["left"], report["failed"]) == (0, {})
    assert report["environments"]["dev"]["hibernated"] is True


def test_it_goes_to_sleep_and_comes_back_as_it_was(dev: Platform) -> None:
    assert done(dev.playbook("dev", playbook=HIBERNATE, extra=WITHOUT_NAT)).lock_writes == 2
    assert (database(dev), gateways(dev)) == ("stopped", 0)
    told_as_asleep(dev)
    # AWS starts it after seven days, and the schedule is there.
    dev.control("POST", "clock", advance=8 * DAY)
    assert database(dev) == "stopped"
    done(dev.playbook("dev", playbook=WAKE))
    assert (database(dev), gateways(dev)) == ("available", 1)
    assert dev.client("scheduler").list_schedules(GroupName=NAME)["Schedules"] == []
    assert nothing(dev.playbook("dev"))


@pytest.mark.thorough
def test_what_is_announced_is_done_and_done_once(dev: Platform) -> None:
    for playbook in (HIBERNATE, WAKE):
        announced = done(dev.playbook("dev", check=True, playbook=playbook, extra=WITHOUT_NAT))
        assert announced.mutations == [] and announced.lock_writes == 0
        carried_out = done(dev.playbook("dev", playbook=playbook, extra=WITHOUT_NAT))
        assert carried_out.actions("dev") == announced.actions("dev")
        assert carried_out.tasks("dev") == announced.tasks("dev")
        assert nothing(dev.playbook("dev", playbook=playbook, extra=WITHOUT_NAT))


@pytest.mark.parametrize("environment", ["prod", pytest.param("dr", marks=pytest.mark.thorough)])
def test_what_has_to_stay_awake_is_refused(dev: Platform, environment: str) -> None:
    refused = dev.playbook(environment, playbook=HIBERNATE)
    assert refused.status == 2 and refused.calls == []
    assert f"{environment} has to stay awake" in refused.output
    insisted = dev.playbook(environment, playbook=HIBERNATE, extra={"platform_hibernation_allowed": True})
    assert (insisted.status, insisted.mutations) == (2, [])
    assert "depends on it, or stands by for it" in " ".join(insisted.output.split())


@pytest.mark.thorough
def test_a_night_by_the_clock_ends_with_the_morning_or_with_wake(dev: Platform) -> None:
    done(dev.playbook("dev", extra=NIGHTS))
    now = dev.control("GET", "clock")["time"]
    to_evening = (20 * 3600 - now) % DAY + 60
    dev.control("POST", "clock", advance=to_evening)
    assert database(dev) == "stopped"
    refused = dev.playbook("dev", extra=NIGHTS)
    assert refused.status == 2 and "is stopped, by its schedule or by hand" in " ".join(refused.output.split())
    done(dev.playbook("dev", playbook=WAKE, extra=NIGHTS))
    assert database(dev) == "available"
    assert nothing(dev.playbook("dev", extra=NIGHTS))
    dev.control("POST", "clock", advance=DAY)
    assert database(dev) == "stopped"
    dev.control("POST", "clock", advance=11 * 3600)
    assert database(dev) == "available"


@pytest.mark.thorough
def test_node_groups_rest_too(dev: Platform) -> None:
    dev.begin()
    done(dev.playbook("dev", extra=GROUPS))
    eks = dev.client("eks")
    done(dev.playbook("dev", playbook=HIBERNATE, extra=GROUPS))
    names = eks.list_nodegroups(clusterName=NAME)["nodegroups"]
    sizes = [eks.describe_nodegroup(clusterName=NAME, nodegroupName=one)["nodegroup"]["scalingConfig"] for one in names]
    assert names and all((one["minSize"], one["desiredSize"]) == (0, 0) for one in sizes)
    done(dev.playbook("dev", playbook=WAKE, extra=GROUPS))
    assert nothing(dev.playbook("dev", extra=GROUPS))


@pytest.mark.thorough
@pytest.mark.parametrize("nth", range(1, 8))
@pytest.mark.parametrize("playbook", [HIBERNATE, WAKE])
def test_one_that_was_killed_goes_on_or_goes_back(dev: Platform, playbook: str, nth: int) -> None:
    if playbook == WAKE:
        done(dev.playbook("dev", playbook=HIBERNATE, extra=WITHOUT_NAT))
    rule = {"effect": "kill_client", "mutating": True, "nth": nth, "when": "after", "also": "ansible-playbook"}
    rule["service"] = "scheduler|rds|ec2|s3"
    dev.control("POST", "faults", **rule)
    killed = dev.playbook("dev", playbook=playbook, extra=WITHOUT_NAT)
    dev.control("DELETE", "faults")
    if killed.status == 0:
        pytest.skip(f"{playbook} makes fewer than {nth} such calls")
    done(dev.playbook("dev", playbook=playbook, extra={**WITHOUT_NAT, "deployment_lock_wait_seconds": 120}))
    assert database(dev) == ("stopped" if playbook == HIBERNATE else "available")
    done(dev.playbook("dev", playbook=WAKE))
    assert nothing(dev.playbook("dev"))
