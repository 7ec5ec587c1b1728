# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.drift.tagged import deploys, is_known, type_of

HERE = "us-west-2:123456789012"


@pytest.mark.parametrize(
    ("arn", "kind", "identifier"),
    [
        (f"arn:aws:ec2:{HERE}:vpc/vpc-1", "ec2:vpc", "vpc-1"),
        (f"arn:aws:rds:{HERE}:db:pipeops-prod", "rds:db", "pipeops-prod"),
        (f"arn:aws:kms:{HERE}:key/1c2d-3e4f", "kms:key", "1c2d-3e4f"),
        ("arn:aws:s3:::pipeops-prod-state", "s3", "pipeops-prod-state"),
        (f"arn:aws:dynamodb:{HERE}:table/pipeops-prod-locks", "dynamodb:table", "pipeops-prod-locks"),
        (f"arn:aws:logs:{HERE}:log-group:/aws/eks/pipeops/cluster", "logs:log-group", "/aws/eks/pipeops/cluster"),
        (f"arn:aws:logs:{HERE}:log-group:/aws/eks/pipeops/cluster:*", "logs:log-group", "/aws/eks/pipeops/cluster"),
        (f"arn:aws:cloudwatch:{HERE}:alarm:pipeops-prod-x", "cloudwatch:alarm", "pipeops-prod-x"),
        (f"arn:aws:sns:{HERE}:topic", "sns", f"arn:aws:sns:{HERE}:topic"),
        (f"arn:aws:eks:{HERE}:podidentityassociation/c/a-1", "eks:podidentityassociation", "a-1"),
        ("arn:aws:route53:::hostedzone/Z1", "route53:hostedzone", "Z1"),
    ],
)
def test_a_resource_is_known_by_what_its_layer_calls_it(arn: str, kind: str, identifier: str) -> None:
    assert type_of(arn) == kind
    assert is_known(arn, {identifier})
    assert not is_known(arn, {f"{identifier}-else", "else"})


@pytest.mark.parametrize(("component", "no_part"), [("ci/deploy", True), ("cicd/deploy", False), ("network/ci", False)])
def test_who_deploys_is_no_part_of_the_environment(component: str, no_part: bool) -> None:
    assert deploys({"pipeops:component": component}) is no_part
    assert not deploys({})
