# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.cost.resources import price

from .shipped import CARRIED

DATABASE = {"instance_class": "db.r6g.xlarge", "multi_az": True, "storage_gib": 100}


@pytest.mark.parametrize(
    ("kind", "attributes", "monthly", "note"),
    [
        ("ec2_nat_gateway", {"mode": "zonal"}, "32.85", "and traffic"),
        ("ec2_nat_gateway", {"mode": "regional"}, "32.85", "for each zone, and traffic"),
        ("ec2_elastic_ip", {}, "3.65", ""),
        ("ec2_vpc_endpoint", {"type": "Interface", "subnets": ["a", "b", "c"]}, "21.90", "and traffic"),
        ("eks_cluster", {}, "73.00", "and nodes"),
        ("rds_instance", DATABASE, "679.27", ""),
        ("rds_cross_region_replica", {**DATABASE, "storage_gib": None}, "656.27", "and storage"),
        ("rds_replica", {**DATABASE, "multi_az": None}, "340.00", ""),
        (
            "rds_instance",
            {"instance_class": "db.x9.huge"},
            None,
            "no price of postgres:single-az:db.x9.huge in us-west-2",
        ),
        ("kms_key", {}, "1.00", ""),
        ("secretsmanager_secret", {}, "0.40", ""),
        ("cloudwatch_alarm", {}, "0.10", ""),
        ("route53_zone", {}, "0.50", ""),
        ("s3_bucket", {}, None, "by usage"),
    ],
)
def test_what_a_resource_costs(kind: str, attributes: dict[str, Any], monthly: str | None, note: str) -> None:
    found = price(kind, attributes, "us-west-2", CARRIED)
    assert found is not None
    assert (found.monthly, found.note) == (Decimal(monthly) if monthly else None, note)


@pytest.mark.parametrize(
    ("kind", "attributes"), [("ec2_subnet", {}), ("iam_role", {}), ("ec2_vpc_endpoint", {"type": "Gateway"})]
)
def test_what_is_free_has_no_price_at_all(kind: str, attributes: dict[str, Any]) -> None:
    assert price(kind, attributes, "us-west-2", CARRIED) is None
