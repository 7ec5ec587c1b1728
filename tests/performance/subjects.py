# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured: commands against a sandbox in which everything stands already."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import yaml

from tests.performance.measure import Subject
from tests.platform_runs import ROOT, Platform

ENVIRONMENT, REGION, WITNESS_REGION = "prod", "us-west-2", "us-east-2"
PEER = "tests/performance/peer/site.yml"
INVENTORIES = ROOT / "inventories"

#: How long the parts of a run take by themselves. Imports are those of every module of the engine.
START = {
    "Python starts": "pass",
    "Ansible is loaded": "import ansible.cli.playbook",
    "boto3 is loaded": "import boto3",
    "13 clients are made": "import boto3; s = boto3.Session(region_name='us-west-2'); "
    "from tests.performance.floor import SERVICES; [s.client(name) for name in SERVICES]",
}
#: How many of each of five kinds of resources somebody else has.
CROWD = 100
EMPTY_PLAY = "- hosts: localhost\n  gather_facts: false\n"


def playbook(stand: Platform, name: str, *arguments: str) -> Subject:
    """Return a run of a playbook."""
    return Subject(name, ["ansible-playbook", *arguments], ROOT, stand.environment())


def ours(stand: Platform) -> Subject:
    """Return our converged run."""
    return playbook(stand, "site.yml", "site.yml", f"-iinventories/{ENVIRONMENT}")


def peer(stand: Platform) -> Subject:
    """Return the run of the peer, with the same configuration of Ansible."""
    return playbook(stand, "stock modules", PEER)


def floor(stand: Platform) -> Subject:
    """Return the process that only reads."""
    command = [sys.executable, "-m", "tests.performance.floor", ENVIRONMENT, REGION, WITNESS_REGION]
    return Subject("reads alone", command, ROOT, stand.environment())


def starts(stand: Platform, folder: Path) -> list[Subject]:
    """Return what each run begins with."""
    empty = folder / "empty.yml"
    empty.write_text(EMPTY_PLAY, "utf-8")
    found = [Subject(name, [sys.executable, "-c", code], ROOT, stand.environment()) for name, code in START.items()]
    return [*found, playbook(stand, "a play without tasks", str(empty))]


def crowd(stand: Platform) -> int:
    """Make hundreds of resources of somebody else, tagged like ours, of kinds that we list; return how many."""
    tags = {"pipeops:environment": "crowd", "pipeops:managed-by": "somebody"}
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    ec2, kms, iam = stand.client("ec2"), stand.client("kms"), stand.client("iam")
    logs, route53 = stand.client("logs"), stand.client("route53")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    trust = '{"Version": "2012-10-17", "Statement": []}'
    for number in range(CROWD):
        name = f"crowd-{number:03}"
        group = {"ResourceType": "security-group", "Tags": listed}
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc, TagSpecifications=[group])
        key = kms.create_key(Tags=[{"TagKey": key, "TagValue": value} for key, value in tags.items()])["KeyMetadata"]
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
        iam.create_role(RoleName=name, Path="/crowd/", AssumeRolePolicyDocument=trust, Tags=listed)
        logs.create_log_group(logGroupName=f"/crowd/{name}", tags=tags)
        route53.create_hosted_zone(Name=f"{name}.example.internal", CallerReference=name)
    return 5 * CROWD


def copies(folder: Path, count: int) -> Path:
    """Write an inventory of so many environments, each like dev, and return its folder."""
    names = [f"bench{number:02}" for number in range(count)]
    target = folder / f"environments-{count}"
    for name in names:
        shutil.copytree(INVENTORIES / "dev" / "host_vars" / "dev", target / "host_vars" / name)
        values = target / "host_vars" / name / "platform.yml"
        values.write_text(
            values.read_text("utf-8").replace("platform_environment: dev", f"platform_environment: {name}")
        )
    hosts = {"environments": {"hosts": dict.fromkeys(names)}}
    (target / "hosts.yml").write_text(yaml.safe_dump(hosts), "utf-8")
    return target
