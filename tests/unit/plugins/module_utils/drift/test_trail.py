# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.drift.findings import Finding
from ansible_collections.pipeops.platform.plugins.module_utils.drift.trail import Event, _culprit


def event(name: str, text: str, source: str = "rds", by: str = "alice") -> Event:
    return Event(source, name, "2026-11-25T16:39:05+00:00", by, "192.0.2.1", "console", text)


def changed(kind: str, identifier: str, **more: Any) -> Finding:
    return Finding("changed", kind, "x", "X", identifier, **more)


EVENTS = [
    event("DeleteAccessEntry", '{"name": "pipeops-prod"}', "eks"),
    event("TagResource", '{"name": "pipeops-prod"}', "eks"),
    event("ModifyDBInstance", '{"dBInstanceIdentifier": "pipeops-prod-c"}', by="bob"),
    event("ModifyDBInstance", '{"dBInstanceIdentifier": "pipeops-prod"}'),
    event("ModifyDBInstance", '{"dBInstanceIdentifier": "pipeops-prod"}', by="carol"),
    event("DeleteAlias", '{"aliasName": "alias/pipeops-prod-ebs"}', "kms"),
    event("DeleteBucketPolicy", '{"bucketName": "pipeops-prod-state"}', "s3"),
    event("ChangeResourceRecordSets", '{"hostedZoneId": "Z1", "name": "db.prod.internal"}', "route53"),
    event("DeleteVpcEndpoints", '{"vpcEndpointId": "vpce-1"}', "ec2"),
    event("CreateRoute", '{"routeTableId": "rtb-0123"}', "ec2"),
    event("PutRetentionPolicy", '{"logGroupName": "/aws/eks/pipeops/cluster"}', "logs"),
]


@pytest.mark.parametrize(
    ("finding", "name", "by", "sure"),
    [
        pytest.param(changed("rds_instance", "pipeops-prod"), "ModifyDBInstance", "alice", True, id="the latest one"),
        pytest.param(changed("rds_replica", "pipeops-prod-c"), "ModifyDBInstance", "bob", True, id="a longer name"),
        pytest.param(changed("eks_cluster", "pipeops-prod"), "TagResource", "alice", True, id="its own service"),
        pytest.param(
            changed("kms_key", "1c2d-3e4f", differences=[{"wanted": "alias/pipeops-prod-ebs", "found": ""}]),
            "DeleteAlias", "alice", True, id="by a value",
        ),
        pytest.param(
            changed("route53_record", "Z1/db.prod.internal:CNAME"), "ChangeResourceRecordSets", "alice", True,
            id="a record",
        ),
        pytest.param(changed("ec2_route", "rtb-0123 0.0.0.0/0"), "CreateRoute", "alice", True, id="a route"),
        pytest.param(
            changed("log_group", "/aws/eks/pipeops/cluster"), "PutRetentionPolicy", "alice", True, id="a log group"
        ),
        pytest.param(
            Finding("missing", "ec2_vpc_endpoint", "s3", "endpoint"), "DeleteVpcEndpoints", "alice", False, id="fits"
        ),
    ],
)  # fmt: skip
def test_the_latest_event_that_names_it_tells_who(finding: Finding, name: str, by: str, sure: bool) -> None:
    who = _culprit(finding, EVENTS)
    assert (who["event"], who["by"], who["sure"]) == (name, by, sure)


@pytest.mark.parametrize(
    "finding",
    [
        changed("s3_document", "s3://pipeops-prod-state/outputs/prod.json"),
        changed("rds_instance", "pipeops"),
        Finding("missing", "ec2_flow_log", "vpc", "flow log"),
    ],
    ids=["no management event", "a part of a name", "nothing that fits"],
)
def test_nobody_is_accused_without_an_event(finding: Finding) -> None:
    assert _culprit(finding, EVENTS) == {}
