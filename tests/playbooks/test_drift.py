# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people do by hand to four environments is found in one run, named, told who did it, and mended."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest

from tests.plan_exactness.dr_drifts import DRIFTS
from tests.platform_runs import ROOT, Platform, Run, commands_of
from tests.playbooks.drift_signs import SIGNS

ALL = ("dev", "staging", "prod", "dr")
REGION = {"dr": "us-east-1"}
#: What a comparison that finds all of them may cost of a processor, to one that finds nothing. Seconds would tell what
#: else the machine does, even those of a processor, whose caches others share.
COST_OF_FINDING = 1.6


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs leave their reports."""
    monkeypatch.setenv("PIPEOPS_REPORT_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def four(empty: Platform) -> Platform:
    """All four environments, as they were stood up in one run."""
    first = empty.playbook(*ALL)
    assert first.status == 0, first.output[-4000:]
    return empty


def compare(stand: Platform, reports: Path, **extra: Any) -> tuple[Run, dict[str, Any]]:
    """Compare all environments, and return the run and its report."""
    run = stand.playbook(*ALL, playbook="playbooks/drift.yml", extra=extra)
    latest = max(reports.glob("drift-*.json"), key=lambda path: path.stat().st_mtime_ns)
    return run, json.loads(latest.read_text("utf-8"))


def processor_seconds() -> float:
    """Return what all runs have taken of a processor so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def is_clean(run: Run, report: dict[str, Any]) -> None:
    """Insist that a comparison found nothing and changed nothing."""
    found = [item for drift in report["environments"].values() for item in drift["findings"]]
    assert found == []
    assert (run.status, run.mutations, run.lock_writes) == (0, [], 0), run.output[-3000:]
    assert set(report["environments"]) == set(ALL)


def leave_something(stand: Platform) -> set[str]:
    """Make resources in staging that look like ours and are in no inventory, and return their identifiers."""
    owner = {"pipeops:platform": "pipeops", "pipeops:environment": "staging"}
    tags = [{"Key": key, "Value": value} for key, value in owner.items()]
    ec2, iam = stand.client("ec2"), stand.client("iam")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "tag:pipeops:environment", "Values": ["staging"]}])["Vpcs"]
    group = ec2.create_security_group(
        GroupName="by-hand",
        Description="by hand",
        VpcId=vpc["VpcId"],
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )
    stand.client("sns").create_topic(Name="by-hand", Tags=tags)
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="pipeops-staging-by-hand", AssumeRolePolicyDocument=policy, Tags=tags)
    return {group["GroupId"], "by-hand", "pipeops-staging-by-hand"}


def test_every_drift_of_four_environments_is_found_named_and_mended(four: Platform, reports: Path) -> None:
    begun = processor_seconds()
    is_clean(*compare(four, reports))
    clean_seconds = processor_seconds() - begun
    for command in commands_of(ROOT / "docs" / "drift.md"):
        typed = four.shell(command)
        assert typed.returncode == 0, f"{command}\n{(typed.stdout + typed.stderr)[-3000:]}"
    for drift in DRIFTS:
        drift.inject(four, REGION.get(drift.environment, "us-west-2"))
    left = leave_something(four)
    begun = processor_seconds()
    run, report = compare(four, reports)
    finding_seconds = processor_seconds() - begun
    assert (run.status, run.mutations, run.lock_writes) == (3, [], 0), run.output[-3000:]
    assert finding_seconds < COST_OF_FINDING * clean_seconds
    named = {
        (environment, item["category"], item["kind"], item["name"], sign)
        for environment, drift in report["environments"].items()
        for item in drift["findings"]
        for sign in [one["attribute"] for one in item["differences"]] or [""]
    }
    assert set(SIGNS) == {drift.name for drift in DRIFTS}
    missed = {name: sign for name, sign in SIGNS.items() if sign not in named}
    assert missed == {}
    extra = {entry for entry in named if entry not in set(SIGNS.values())}
    unmanaged = {item["id"] for item in report["environments"]["staging"]["findings"]}
    assert unmanaged == left
    assert {entry[0] for entry in extra} <= {"staging", "prod"}
    assert {entry[2] for entry in extra if entry[0] == "prod"} <= {"rds_replica_settings"}, extra
    tells_who(report)
    shows(run, report, reports)
    healed, mended = compare(four, reports, heal=True)
    assert healed.status == 3, "what is unmanaged is left"
    assert mended["left"] == len(left)
    again, rest = compare(four, reports)
    assert again.status == 3
    assert {item["id"] for drift in rest["environments"].values() for item in drift["findings"]} == left


def tells_who(report: dict[str, Any]) -> None:
    """Insist that CloudTrail has told who it was where it can, and nobody of ours."""
    findings = [item for drift in report["environments"].values() for item in drift["findings"]]
    told = [item for item in findings if item["who"]]
    assert {item["who"]["by"] for item in told} == {"operator"}
    assert len(told) > len(findings) * 3 / 4
    events = {(item["kind"], item["name"]): item["who"].get("event") for item in findings}
    assert events["eks_cluster", "main"] in ("UpdateClusterConfig", "TagResource")
    assert events["rds_instance", "primary"] == "ModifyDBInstance"
    assert events["kms_key", "ebs"] == "DeleteAlias"
    assert events["ec2_vpc_endpoint", "dynamodb"] == "DeleteVpcEndpoints"
    assert events["s3_document", "outputs"] is None, "no management event tells of an object"


def shows(run: Run, report: dict[str, Any], reports: Path) -> None:
    """Insist that the table and the page have what the data have."""
    page = max(reports.glob("drift-*.html")).read_text("utf-8")
    text = " ".join(run.output.split())
    assert "staging: 3 unmanaged" in text
    for part in ("pipeops-prod-locks", "pipeops-staging-by-hand", "deletion_protection is false, not true"):
        assert part in page
    assert "operator, " in page and "<script" not in page and "http" not in page.replace("https://www.w3.org", "")
    assert report["left"] == sum(drift["found"] for drift in report["environments"].values())
    assert "Report: " in text


def test_a_comparison_that_fails_is_told_apart(prod: Platform, reports: Path) -> None:
    run = prod.playbook("prod", playbook="playbooks/drift.yml", extra={"vpc_cidr": "10.7.0.0/16"})
    assert run.status == 2
    assert (run.mutations, run.lock_writes) == ([], 0)
    (path,) = reports.glob("drift-*.json")
    report = json.loads(path.read_text("utf-8"))
    assert "cidr of VPC" in report["failed"]["prod"]
    assert "not compared to the end" in " ".join(run.output.split())


def test_without_the_callback_nothing_is_compared(prod: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_CALLBACKS_ENABLED", "pipeops.platform.plan")
    run = prod.playbook("prod", playbook="playbooks/drift.yml")
    assert run.status == 2
    assert "Add it to callbacks_enabled in ansible.cfg" in " ".join(run.output.split())
