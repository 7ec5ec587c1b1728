# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wrong inventories are refused before the first write, the shipped ones are not."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.check import Host, Verdict, check
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.facts import Unreadable
from pipeops_sandbox.journal import Entry
from pipeops_sandbox.server import Sandbox

from tests.inventories import ENVIRONMENTS, SITE_RULES, WRONG, Wrong, shipped
from tests.platform_runs import Platform, Run, platform

#: The most calls that the check of one environment may make.
MOST_CALLS = 6
#: For one that has a pair, the look at the pair's database comes on top.
MOST_CALLS_OF_A_PAIR = 7
#: One that may sleep is asked whether it does: for its marker, and for its database.
CALLS_OF_ONE_THAT_SLEEPS = 2
Check = Callable[[Host, list[Host]], tuple[Verdict, list[Entry]]]


@pytest.fixture(scope="module")
def check_on_aws(_server: tuple[str, Sandbox]) -> Iterator[Check]:
    """Check an inventory the way the action does, and return the verdict and the calls that it took.

    Nothing is written, so all tests share one account and its clients.
    """
    url, sandbox = _server

    @functools.cache
    def connect(region: str) -> Aws:
        return Aws({"region": region, "endpoint_url": url})

    def run(host: Host, others: list[Host]) -> tuple[Verdict, list[Entry]]:
        before = len(sandbox.journal.entries())
        verdict = check(host, others, SITE_RULES, connect)
        return verdict, sandbox.journal.entries()[before:]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        yield run


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.case)
def test_a_wrong_inventory_is_refused(check_on_aws: Check, wrong: Wrong) -> None:
    verdict, calls = check_on_aws(wrong.inventory, wrong.others)
    assert len(verdict.problems) == wrong.problems, "\n".join(map(str, verdict.problems))
    first = verdict.problems[0]
    assert first.variable == wrong.variable
    assert wrong.reason in first.reason
    assert wrong.mend in first.mend
    assert first.mend.endswith((".", "?"))
    assert not any(call.mutating for call in calls)


def test_there_are_enough_wrong_inventories() -> None:
    assert len({wrong.case for wrong in WRONG}) == len(WRONG) >= 60


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_shipped_inventory_passes_with_few_reads(check_on_aws: Check, name: str) -> None:
    others = [shipped(other) for other in ENVIRONMENTS if other != name]
    verdict, calls = check_on_aws(shipped(name), others)
    assert not verdict.problems, "\n".join(map(str, verdict.problems))
    assert verdict.facts
    assert verdict.facts.account_id == "123456789012"
    paired = "platform_pair" in shipped(name).values
    sleeps = CALLS_OF_ONE_THAT_SLEEPS if shipped(name).values.get("platform_hibernation_allowed") else 0
    assert 0 < len(calls) <= (MOST_CALLS_OF_A_PAIR if paired else MOST_CALLS) + sleeps
    assert not any(call.mutating for call in calls)


def test_aws_is_not_asked_about_an_inventory_that_is_wrong_without_it(check_on_aws: Check) -> None:
    _verdict, calls = check_on_aws(shipped("prod", {"vpc_cidr": "10.0.0.1/16"}), [])
    assert calls == []


@pytest.fixture(scope="module")
def site() -> Iterator[Platform]:
    """A sandbox for whole playbooks."""
    with platform() as running:
        yield running


def refused(run: Run, *sentences: str) -> None:
    """Insist that a run ended with these sentences, and without a write."""
    text = " ".join(run.output.split())
    assert run.status != 0
    for sentence in sentences:
        assert sentence in text, run.output
    assert "Nothing was changed." in text
    assert run.mutations == []


def test_the_playbook_lists_everything_at_once(site: Platform) -> None:
    extra = {"vpc_cidr": "10.0.0.1/16", "eks_node_minimum": 12, "rds_flux": 1, "eks_version": 1.3}
    run = site.playbook("prod", extra=extra)
    refused(
        run,
        "The inventory of prod cannot work (4 problems).",
        "vpc_cidr is 10.0.0.1/16: its address lies inside the range instead of at its start. Write 10.0.0.0/16.",
        "eks_node_minimum is 12: it is more than eks_node_maximum, 10.",
        "rds_flux is 1: no role has a variable of this name.",
        "eks_version is 1.3: YAML reads this as a number and drops zeros at its end.",
    )


def test_one_wrong_environment_stops_all_of_the_run(site: Platform) -> None:
    run = site.playbook("prod", "dr", extra={"vpc_cidr": "10.7.0.0/16"})
    refused(run, "The inventory of prod cannot work", "it overlaps 10.7.0.0/16 of its pair dr", "its pair prod")


def test_a_dry_run_is_refused_as_well(site: Platform) -> None:
    refused(site.playbook("dev", check=True, extra={"eks_version": "1.30"}), "EKS has no such version in us-west-2")


def test_a_machine_without_helm_is_refused_where_add_ons_are_wanted(site: Platform) -> None:
    wanted = {"platform_kubernetes_enabled": True, "cluster_addons_helm": "/nowhere/helm"}
    refused(site.playbook("prod", extra=wanted), "cluster_addons_helm is /nowhere/helm", "no such program")
    unwanted = site.playbook("prod", check=True, extra={**wanted, "platform_kubernetes_enabled": False})
    assert unwanted.status == 0, unwanted.output[-3000:]


def test_a_template_that_cannot_be_filled_in_is_named(site: Platform) -> None:
    run = site.playbook("dev", extra={"rds_instance_class": "{{ class_of_the_day }}"})
    refused(run, "rds_instance_class is a template: it cannot be filled in", "class_of_the_day")


def test_a_region_that_is_missing_is_asked_for(site: Platform) -> None:
    refused(site.playbook("dev", extra={"platform_region": None}), "platform_region is null: it has no value")


def test_another_account_is_refused(site: Platform) -> None:
    run = site.playbook("dev", extra={"platform_account_id": "210987654321"})
    refused(run, "platform_account_id is", "the credentials of this run belong to account 123456789012")


def test_aws_that_cannot_be_asked_is_no_fault_of_the_inventory(_server: tuple[str, Sandbox]) -> None:
    url, sandbox = _server
    options = {"region": "us-west-2", "endpoint_url": url, "access_key": "testing", "secret_key": "testing"}
    once = {"retries": {"total_max_attempts": 1}}
    sandbox.faults.down.add("us-west-2")
    try:
        with pytest.raises(Unreadable, match=r"sts:GetCallerIdentity.* in us-west-2: "):
            check(shipped("dev"), [], SITE_RULES, lambda _region: Aws({**options, "aws_config": once}))
    finally:
        sandbox.faults.down.clear()
