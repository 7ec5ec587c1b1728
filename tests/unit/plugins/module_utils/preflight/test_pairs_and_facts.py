# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environments against each other, and against what AWS says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.preflight import fact_rules, pair_rules
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.check import question
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.facts import (
    DbClass,
    Facts,
    PairDatabase,
    PairQuestion,
    SleepQuestion,
)
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.inventory import Inventory
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.problems import Problem

from tests.unit.plugins.module_utils.preflight.tables import assert_said, inventory

EVERYWHERE = frozenset({"us-west-2a", "us-west-2b", "us-west-2c"})
ABLE = frozenset(support for _switch, support, _what in fact_rules.WISHES)
FACTS = Facts(
    account_id="123456789012",
    zone_ids={"us-west-2a": "usw2-az2", "us-west-2b": "usw2-az1", "us-west-2c": "usw2-az3"},
    type_zones={"m5.large": EVERYWHERE, "m5.xlarge": EVERYWHERE},
    cluster_versions={"1.37": "STANDARD_SUPPORT", "1.36": "STANDARD_SUPPORT", "1.33": "EXTENDED_SUPPORT"},
    engine_versions=("17.6",),
    classes={"db.r6g.xlarge": DbClass(EVERYWHERE, ABLE)},
)


def held_against(facts: Facts, **changes: Any) -> list[Problem]:
    return [problem for rule in fact_rules.RULES for problem in rule(inventory(**changes), facts)]


def test_what_aws_offers_passes() -> None:
    assert_said(held_against(FACTS))


@pytest.mark.parametrize(
    ("changes", "facts", "expected"),
    [
        ({}, {"account_id": "210987654321"}, ("platform_account_id", "belong to account 210987654321")),
        ({"vpc_zones": ["us-west-2a", "us-west-2d"], "rds_replicas": []}, {}, ("vpc_zones", "no zone us-west-2d")),
        ({}, {"zone_ids": {**FACTS.zone_ids, "us-west-2c": "use1-az3"}}, ("vpc_zones", "use1-az3")),
        (
            {},
            {"type_zones": {"m5.large": EVERYWHERE}},
            ("eks_node_instance_types", "m5.xlarge is not offered in us-west-2"),
        ),
        (
            {},
            {"type_zones": {"m5.large": EVERYWHERE, "m5.xlarge": EVERYWHERE - {"us-west-2b"}}},
            ("eks_node_instance_types", "m5.xlarge is not offered in us-west-2b"),
        ),
        ({"eks_version": "1.30"}, {}, ("eks_version", "no such version")),
        ({"eks_version": "1.33"}, {}, ("eks_version", "standard support is over")),
        ({}, {"engine_versions": ("17.7", "18.1")}, ("rds_engine_version", "no such PostgreSQL")),
        ({}, {"classes": {}}, ("rds_instance_class", "does not offer this class")),
        (
            {},
            {"classes": {"db.r6g.xlarge": DbClass(EVERYWHERE, ABLE - {"MultiAZCapable"})}},
            ("rds_instance_class", "no Multi-AZ"),
        ),
        (
            {},
            {"classes": {"db.r6g.xlarge": DbClass(EVERYWHERE - {"us-west-2c"}, ABLE)}},
            ("rds_replicas[1].availability_zone", "does not offer db.r6g.xlarge there"),
        ),
    ],
)
def test_what_aws_does_not_offer_is_refused(
    changes: dict[str, Any], facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert_said(held_against(replace(FACTS, **facts), **changes), expected)


def test_extended_support_may_be_wanted() -> None:
    assert_said(held_against(FACTS, eks_version="1.33", eks_support_type="EXTENDED"))


def test_versions_of_the_same_major_are_offered_instead() -> None:
    (problem,) = held_against(replace(FACTS, engine_versions=("16.9", "17.7", "17.8", "18.1")))
    assert problem.mend == "Choose of 17.7, 17.8."


def test_what_is_switched_off_need_not_be_supported() -> None:
    facts = replace(FACTS, classes={"db.r6g.xlarge": DbClass(EVERYWHERE, frozenset())})
    off = {"rds_multi_az": False, "rds_performance_insights": False, "rds_monitoring_interval_seconds": 0}
    assert_said(held_against(facts, **off))


def among(one: Inventory, other: Inventory) -> list[Problem]:
    return [problem for rule in pair_rules.RULES for problem in rule(one, other)]


@pytest.mark.parametrize(("one", "other"), [("prod", "dr"), ("dr", "prod"), ("dev", "prod"), ("staging", "dr")])
def test_the_shipped_environments_go_together(one: str, other: str) -> None:
    assert_said(among(inventory(one), inventory(other)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"vpc_cidr": "10.0.128.0/17"}, [("vpc_cidr", "overlaps 10.0.128.0/17 of its pair dr")]),
        ({"platform_database_role": "primary"}, [("platform_database_role", "two would be written to")]),
        ({"platform_region": "us-east-2"}, [("platform_pair.region", "dr has platform_region us-east-2")]),
        ({"platform_account_id": "210987654321"}, [("platform_account_id", "within one only")]),
        (
            {"platform_pair": {"environment": "dev", "region": "us-west-2"}},
            [("platform_pair", "dr is the pair of dev")],
        ),
        ({"platform_environment": "prod"}, [("platform_environment", "host dr has the same")]),
        ({"rds_engine_version": "16.9"}, [("rds_engine_version", "the version of its source")]),
        ({"rds_engine_version": "17.7"}, [("rds_engine_version", "the version of its source")]),
        ({"rds_write_lease_seconds": 20}, [("rds_write_lease_seconds", "its pair dr has 20")]),
        ({"platform_witness_region": "us-west-1"}, [("platform_witness_region", "its pair dr has us-west-1")]),
        (
            {"platform_service_environment": "dr"},
            [("platform_service_environment", "under the names of dr, not of prod")],
        ),
    ],
)
def test_the_other_side_of_prod_must_fit(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert_said(among(inventory("prod"), inventory("dr", **changes)), *expected)


def test_the_source_of_a_replica_has_backups() -> None:
    without = inventory("prod", rds_backup_retention_days=0, rds_replicas=[])
    assert_said(among(without, inventory("dr")), ("rds_backup_retention_days", "dr follows this database"))


@pytest.mark.parametrize(
    ("primary", "replica", "expected"),
    [
        ({"rds_storage_max_gib": 900}, {}, [("rds_storage_max_gib", "prod may grow to 900 GiB")]),
        ({}, {"rds_storage_max_gib": 900}, []),
        (
            {"rds_parameters": {"max_connections": "800"}},
            {"rds_parameters": {"max_connections": 500}},
            [("rds_parameters.max_connections", "prod has 800")],
        ),
        ({"rds_parameters": {"max_wal_senders": 30}}, {}, [("rds_parameters.max_wal_senders", "prod has 30")]),
        ({"rds_parameters": {"max_connections": 500}}, {"rds_parameters": {"max_connections": "800"}}, []),
        ({"rds_parameters": {"max_connections": "LEAST({DBInstanceClassMemory/9531392},5000)"}}, {}, []),
        ({"rds_parameters": {"work_mem": 65536}}, {}, []),
    ],
)
def test_a_replica_can_hold_what_its_source_has(
    primary: dict[str, Any], replica: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert_said(among(inventory("dr", **replica), inventory("prod", **primary)), *expected)


DR_ARN = "arn:aws:rds:us-east-1:123456789012:db:pipeops-dr"
PROD_ARN = "arn:aws:rds:us-west-2:123456789012:db:pipeops-prod"


@pytest.mark.parametrize(
    ("role", "pair", "reason"),
    [
        ("primary", PairDatabase(), None),
        ("primary", PairDatabase(answered=False), None),
        ("primary", PairDatabase(arn=DR_ARN, source=PROD_ARN), None),
        ("primary", PairDatabase(arn=DR_ARN), f"{DR_ARN} in us-east-1, is a primary as well"),
        ("primary", PairDatabase(arn=DR_ARN, fenced=True), None),
        ("replica", PairDatabase(arn=DR_ARN), None),
        ("replica", PairDatabase(arn=DR_ARN, source=PROD_ARN), "is a replica of the database of prod, which leads"),
        ("replica", PairDatabase(arn=DR_ARN, source=f"{PROD_ARN}-other"), None),
    ],
)
def test_a_run_goes_on_only_if_the_pair_has_the_other_role(role: str, pair: PairDatabase, reason: str | None) -> None:
    problems = list(fact_rules.database_role(inventory(platform_database_role=role), replace(FACTS, pair=pair)))
    assert_said(problems, *([("platform_database_role", reason)] if reason else []))
    assert all("dr_status.yml" in problem.mend and "dr_failback.yml" in problem.mend for problem in problems)


def test_two_replicas_follow_nobody() -> None:
    problems = among(inventory("prod", platform_database_role="replica"), inventory("dr"))
    assert_said(problems, ("platform_database_role", "nothing to follow"))


@pytest.mark.parametrize(
    ("name", "changes", "sleeper", "pair"),
    [
        ("staging", {}, None, None),
        ("dev", {}, SleepQuestion("pipeops-dev", "pipeops-dev"), None),
        ("dev", {"rds_identifier": "Grown-Orders"}, SleepQuestion("pipeops-dev", "grown-orders"), None),
        ("prod", {}, None, PairQuestion("pipeops-dr", "us-east-1")),
        (
            "prod",
            {"platform_pair": {"environment": "dr", "region": "us-east-1", "database_identifier": "Grown-Copy"}},
            None,
            PairQuestion("grown-copy", "us-east-1"),
        ),
    ],
)
def test_a_database_that_was_taken_over_is_asked_for_by_its_own_name(
    name: str, changes: dict[str, Any], sleeper: SleepQuestion | None, pair: PairQuestion | None
) -> None:
    asked = question(inventory(name, **changes))
    assert (asked.sleeper, asked.pair) == (sleeper, pair)
