# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each rule alone: what it refuses, and what lies just inside of its bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.preflight import (
    cluster_rules,
    database_rules,
    network_rules,
    platform_rules,
    watch_rules,
)
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.inventory import Inventory
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.problems import Problem

from tests.inventories import ENVIRONMENTS, SITE_RULES
from tests.unit.plugins.module_utils.preflight.tables import assert_said, inventory

Rule = Callable[[Inventory], Iterable[Problem]]
Changes = dict[str, Any]
NIGHTS = {"evening": "cron(0 20 ? * MON-FRI *)", "morning": "cron(0 7 ? * MON-FRI *)"}


def replicas(*named: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "availability_zone": zone} for name, zone in named]


ALLOWED: list[tuple[Rule, Changes]] = [
    (platform_rules.environment_name, {"platform_name": "pipe-ops2"}),
    (platform_rules.name_lengths, {"platform_name": "a" * 39}),
    (platform_rules.tags, {"platform_tags": {"team": "Core + more", "cost:center": ""}}),
    (platform_rules.tags, {"platform_tags": {f"t{number}": "x" for number in range(40)}}),
    (platform_rules.tags, {"platform_tags": {"k" * 128: "v" * 256}}),
    (platform_rules.service, {"platform_service_environment": "prod"}),
    (platform_rules.service, {"platform_service_environment": "dr"}),
    (platform_rules.domain, {"platform_domain": "a-b.example.org"}),
    (platform_rules.amounts, {"platform_wait_timeout_seconds": 15, "platform_wait_delay_seconds": 0.2}),
    (platform_rules.hibernation, {"name": "dev", "platform_hibernation_allowed": True}),
    (platform_rules.nights, {"name": "dev", "hibernation_schedule": {**NIGHTS, "timezone": "Europe/Berlin"}}),
    (platform_rules.hibernation, {"platform_hibernation_allowed": False}),
    (watch_rules.alarms, {"alarms_thresholds": {"connections_warning": "500", "etcd_size_warning_gib": None}}),
    (watch_rules.told, {"alarms_notifications": [{"protocol": "sms", "endpoint": "+15550100"}]}),
    (watch_rules.shares, {"alarms_budget_actual_percent": [], "alarms_budget_forecast_percent": list(range(1, 11))}),
    (database_rules.write_lease, {"rds_write_lease_seconds": 12}),
    (database_rules.write_lease, {"rds_write_lease_seconds": 0, "rds_parameters": {}}),
    (network_rules.own_ranges, {"vpc_cidr": "10.0.0.0/20"}),
    (network_rules.own_ranges, {"vpc_cidr": "100.64.0.0/16"}),
    (network_rules.secondary_ranges, {"vpc_secondary_cidrs": ["100.64.0.0/16", "10.9.0.0/16"]}),
    (network_rules.zones, {"vpc_zones": [f"us-west-2{letter}" for letter in "abcdef"]}),
    (network_rules.subnets, {"vpc_database_subnets": ["10.0.240.0/28", "10.0.240.16/28", "10.0.240.32/28"]}),
    (
        network_rules.gateway,
        {"vpc_nat": "none", "vpc_interface_endpoints": ["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts"]},
    ),
    (network_rules.gateway, {"vpc_nat": "regional"}),
    (network_rules.endpoints, {"vpc_interface_endpoints": ["ecr.api", "eks-auth", "logs"]}),
    (
        network_rules.outside_ranges,
        {"vpc_peer_database_cidrs": ["10.1.0.0/16"], "vpc_alb_ingress_cidrs": ["8.8.8.8/32"]},
    ),
    (network_rules.flow_logs, {"vpc_flow_logs_retention_days": 3653}),
    (network_rules.flow_logs, {"vpc_flow_logs_retention_days": 0}),
    (cluster_rules.version, {"eks_version": "1.29"}),
    (cluster_rules.public_endpoint, {"eks_endpoint_public_access": True, "eks_public_access_cidrs": ["8.8.8.0/24"]}),
    (cluster_rules.public_endpoint, {"eks_public_access_cidrs": ["8.8.8.0/24"]}),
    (cluster_rules.services_range, {"eks_service_ipv4_cidr": "192.168.0.0/24"}),
    (cluster_rules.services_range, {"eks_service_ipv4_cidr": "172.16.0.0/12"}),
    (cluster_rules.node_bounds, {"eks_node_minimum": 10, "eks_node_maximum": 10}),
    (cluster_rules.node_bounds, {"vpc_cidr": "10.0.0.0/20", "eks_node_maximum": 191}),
    (cluster_rules.node_types, {"eks_node_instance_types": ["t3.medium", "t4g.medium", "c7g.2xlarge", "m5.large"]}),
    (cluster_rules.node_types, {"eks_compute": "managed_node_groups", "eks_node_instance_types": ["t3.small"]}),
    (cluster_rules.cluster_addons, {"eks_cluster_addons": [{"name": "metrics-server", "version": "latest"}]}),
    (cluster_rules.cluster_addons, {"eks_compute": "managed_node_groups", "eks_cluster_addons": [{"name": "coredns"}]}),
    (cluster_rules.access_entries, {"eks_access_entries": [{"principal_arn": "arn:aws:iam::123456789012:role/a/b"}]}),
    (
        cluster_rules.workload_roles,
        {"eks_workload_roles": [{"namespace": "a" * 63, "service_account": "b" * 63, "role_name": "short"}]},
    ),
    (cluster_rules.logs, {"eks_log_retention_days": 1}),
    (database_rules.version_and_class, {"rds_engine_version": "18.1", "rds_instance_class": "db.r6gd.16xlarge"}),
    (database_rules.names, {"rds_database_name": "a" * 63, "rds_master_username": "postgres"}),
    (database_rules.bounds, {"rds_port": 1150, "vpc_database_port": 1150, "rds_backup_retention_days": 35}),
    (database_rules.bounds, {"rds_storage_gib": 20, "rds_storage_max_gib": 65536, "rds_backup_retention_days": 0}),
    (database_rules.storage, {"rds_storage_gib": 100, "rds_storage_max_gib": 110}),
    (database_rules.windows, {"rds_backup_window": "23:45-00:15", "rds_maintenance_window": "Sun:00:15-sun:00:45"}),
    (database_rules.windows, {"rds_backup_window": "09:00-09:30", "rds_maintenance_window": "mon:09:30-tue:08:59"}),
    (database_rules.replicas, {"rds_replicas": []}),
    (database_rules.replicas, {"rds_replicas": replicas(*((f"r{n}", "us-west-2a") for n in range(15)))}),
    (database_rules.follower, {"rds_backup_retention_days": 0, "rds_replicas": []}),
    (database_rules.follower, {"platform_database_role": "replica", "rds_replica_backup_replication_days": 0}),
    (database_rules.parameters, {"rds_parameters": {"log_connections": "1", "pgaudit.log": "ddl", "work_mem": 65536}}),
    (database_rules.encryption, {"rds_parameters": {"rds.force_ssl": 1}}),
]

REFUSED: list[tuple[Rule, Changes, list[tuple[str, str]]]] = [
    (
        watch_rules.alarms,
        {"alarms_thresholds": {"cpu": 80, "cpu_warning_percent": 101, "connections_warning": True}},
        [
            ("alarms_thresholds.cpu", "no alarm of this name"),
            ("alarms_thresholds.cpu_warning_percent", "no alarm can have"),
            ("alarms_thresholds.connections_warning", "no alarm can have"),
        ],
    ),
    (
        watch_rules.told,
        {"alarms_notifications": [{"protocol": "https", "endpoint": "https://me:x@example.com/"}]},
        [("alarms_notifications[0].endpoint", "protocol https")],
    ),
    (
        watch_rules.shares,
        {"alarms_budget_actual_percent": [0], "alarms_budget_forecast_percent": [100, 100]},
        [("alarms_budget_actual_percent", "from 1 up"), ("alarms_budget_forecast_percent", "each once")],
    ),
    (
        watch_rules.shares,
        {"alarms_budget_actual_percent": list(range(1, 11))},
        [("alarms_budget_actual_percent", "10 shares at most")],
    ),
    (
        platform_rules.environment_name,
        {"platform_environment": "Prod_1"},
        [("platform_environment", "lower case"), ("platform_environment", "host is called prod")],
    ),
    (platform_rules.environment_name, {"platform_name": "1st"}, [("platform_name", "from a letter")]),
    (platform_rules.environment_name, {"platform_name": "ops-"}, [("platform_name", "single hyphens")]),
    (platform_rules.name_lengths, {"platform_name": "a" * 40}, [("platform_environment", "64 characters")]),
    (platform_rules.account, {"platform_account_id": "1234-5678-9012"}, [("platform_account_id", "12 digits")]),
    (platform_rules.tags, {"platform_tags": {1: "x"}}, [("platform_tags", "not text")]),
    (platform_rules.tags, {"platform_tags": {"AWS:x": "x"}}, [("platform_tags", "belong to AWS")]),
    (platform_rules.tags, {"platform_tags": {"Name": "x"}}, [("platform_tags", "Name of its own")]),
    (platform_rules.tags, {"platform_tags": {"k" * 129: "x"}}, [("platform_tags", "1 to 128")]),
    (platform_rules.tags, {"platform_tags": {"a": "v" * 257}}, [("platform_tags.a", "up to 256")]),
    (platform_rules.tags, {"platform_tags": {"a": None}}, [("platform_tags.a", "is text")]),
    (platform_rules.tags, {"platform_tags": {"a": ["x"]}}, [("platform_tags.a", "is text")]),
    (
        platform_rules.tags,
        {"platform_tags": {f"t{number}": "x" for number in range(41)}},
        [("platform_tags", "41 tags")],
    ),
    (
        platform_rules.service,
        {"platform_service_environment": "staging"},
        [("platform_service_environment", "one side of a pair")],
    ),
    (platform_rules.domain, {"platform_domain": "Pipeops.internal"}, [("platform_domain", "no domain name")]),
    (platform_rules.domain, {"platform_domain": "a" * 64}, [("platform_domain", "no domain name")]),
    (platform_rules.domain, {"platform_domain": ".".join(["a" * 50] * 5)}, [("platform_domain", "no domain name")]),
    (platform_rules.amounts, {"platform_budget_usd_month": -1}, [("platform_budget_usd_month", "more than 0")]),
    (
        platform_rules.hibernation,
        {"platform_hibernation_allowed": True},
        [("platform_hibernation_allowed", "dr depends on it")],
    ),
    (
        platform_rules.hibernation,
        {"name": "dev", "rds_replicas": replicas(("a", "us-west-2a"))},
        [("platform_hibernation_allowed", "has replicas")],
    ),
    (platform_rules.nights, {"hibernation_schedule": NIGHTS}, [("hibernation_schedule", "has to stay awake")]),
    (
        platform_rules.nights,
        {"name": "dev", "hibernation_schedule": {**NIGHTS, "evening": "8 p.m.", "timezone": "Pacific"}},
        [("hibernation_schedule.evening", "no cron"), ("hibernation_schedule.timezone", "no such time zone")],
    ),
    (platform_rules.amounts, {"platform_wait_delay_seconds": 0}, [("platform_wait_delay_seconds", "more than 0")]),
    (network_rules.own_ranges, {"vpc_cidr": "10.0.0.0"}, [("vpc_cidr", "without a prefix length")]),
    (network_rules.own_ranges, {"vpc_cidr": "10.0.0.0/33"}, [("vpc_cidr", "prefix length is not")]),
    (network_rules.own_ranges, {"vpc_cidr": "10.0.0.0/21"}, [("vpc_cidr", "/16 to /20")]),
    (network_rules.own_ranges, {"vpc_cidr": "198.19.0.0/16"}, [("vpc_cidr", "no range there")]),
    (network_rules.own_ranges, {"vpc_secondary_cidrs": ["10.9.0.0/29"]}, [("vpc_secondary_cidrs", "/16 to /28")]),
    (
        network_rules.secondary_ranges,
        {"vpc_secondary_cidrs": ["100.64.0.0/16", "100.64.1.0/24"]},
        [("vpc_secondary_cidrs", "100.64.0.0/16 and 100.64.1.0/24 overlap")],
    ),
    (network_rules.zones, {"vpc_zones": []}, [("vpc_zones", "these are 0")]),
    (network_rules.zones, {"vpc_zones": ["us-west-2a", "us-west-2-lax-1a"]}, [("vpc_zones", "no availability zone")]),
    (
        network_rules.subnets,
        {"vpc_private_subnets": ["10.0.0.0/18", "10.0.0.0/18", "10.0.128.0/18"]},
        [("vpc_private_subnets", "overlaps private 10.0.0.0/18")],
    ),
    (network_rules.gateway, {"vpc_nat": "none"}, [("vpc_nat", "neither EKS")]),
    (
        network_rules.gateway,
        {"vpc_nat": "none", "vpc_interface_endpoints": list(network_rules.WITHOUT_NAT), "vpc_gateway_endpoints": []},
        [("vpc_nat", "image layers")],
    ),
    (
        network_rules.endpoints,
        {"vpc_interface_endpoints": ["sts", "sts"], "vpc_gateway_endpoints": ["s3", "s3"]},
        [("vpc_interface_endpoints", "sts is there twice"), ("vpc_gateway_endpoints", "s3 is there twice")],
    ),
    (
        network_rules.outside_ranges,
        {"vpc_alb_ingress_cidrs": ["8.8.8.8/32", "8.8.8.8/32", "8.8.8.8/24"]},
        [("vpc_alb_ingress_cidrs", "inside the range"), ("vpc_alb_ingress_cidrs", "there twice")],
    ),
    (network_rules.flow_logs, {"vpc_flow_logs_retention_days": 4000}, [("vpc_flow_logs_retention_days", "only")]),
    (cluster_rules.version, {"eks_version": "v1.36"}, [("eks_version", "major and minor")]),
    (
        cluster_rules.public_endpoint,
        {"eks_public_access_cidrs": ["192.0.2.0/24", "8.8.8.8"]},
        [("eks_public_access_cidrs", "documentation"), ("eks_public_access_cidrs", "without a prefix")],
    ),
    (
        cluster_rules.public_endpoint,
        {"eks_public_access_cidrs": [f"8.8.{number}.0/24" for number in range(41)]},
        [("eks_public_access_cidrs", "takes 40")],
    ),
    (
        cluster_rules.services_range,
        {"vpc_secondary_cidrs": ["172.20.0.0/20"]},
        [("eks_service_ipv4_cidr", "overlaps 172.20.0.0/20")],
    ),
    (
        cluster_rules.services_range,
        {"eks_service_ipv4_cidr": "10.0.0.0/8"},
        [("eks_service_ipv4_cidr", "/12 to /24"), ("eks_service_ipv4_cidr", "overlaps 10.0.0.0/16")],
    ),
    (cluster_rules.node_bounds, {"eks_node_minimum": -1}, [("eks_node_minimum", "runs nothing")]),
    (
        cluster_rules.node_bounds,
        {"vpc_cidr": "10.0.0.0/20", "eks_node_maximum": 192},
        [("eks_node_maximum", "addresses for 191 nodes")],
    ),
    (
        cluster_rules.node_revision,
        {"eks_node_revision": "a-b"},
        [("eks_node_revision", "ending of node groups' names")],
    ),
    (
        cluster_rules.cluster_addons,
        {
            "eks_cluster_addons": [
                {"name": "coredns"},
                {"name": "metrics-server", "version": "0.8"},
                {"name": "fluent-bit"},
                {"name": "fluent-bit", "roles": [{"service_account": "one"}]},
                {"name": "external-dns", "roles": [{"service_account": "dns", "role_arn": "arn:aws:iam::1:role/dns"}]},
            ],
            "eks_workload_roles": [{"namespace": "kube-system", "service_account": "dns"}],
        },
        [
            ("eks_cluster_addons", "Auto Mode brings coredns itself"),
            ("eks_cluster_addons", "fluent-bit is there 2 times"),
            ("eks_cluster_addons", "'0.8' is no version"),
            ("eks_cluster_addons", "has no policies"),
            ("eks_cluster_addons", "kube-system/dns has a role in eks_workload_roles already"),
        ],
    ),
    (
        cluster_rules.node_types,
        {"eks_node_instance_types": ["m5.large", "m5.large", "t3.nano", "c6g.medium", "m5", "m5.huge"]},
        [
            ("eks_node_instance_types", "there twice"),
            ("eks_node_instance_types", "above small"),
            ("eks_node_instance_types", "above small"),
            ("eks_node_instance_types", "no EC2"),
            ("eks_node_instance_types", "no EC2"),
        ],
    ),
    (
        cluster_rules.access_entries,
        {"eks_access_entries": [{"principal_arn": "arn:aws:iam::123456789012:role/a"}] * 2},
        [("eks_access_entries", "there twice")],
    ),
    (
        cluster_rules.access_entries,
        {"eks_access_entries": [{"principal_arn": ""}]},
        [("eks_access_entries[0].principal_arn", "ARN")],
    ),
    (
        cluster_rules.workload_roles,
        {"eks_workload_roles": [{"namespace": "a", "service_account": ""}]},
        [("eks_workload_roles", "one service")],
    ),
    (
        cluster_rules.workload_roles,
        {"eks_workload_roles": [{"namespace": "a", "service_account": "b" * 63}] * 2},
        [
            ("eks_workload_roles", "there twice"),
            ("eks_workload_roles", "78 characters"),
            ("eks_workload_roles", "78 characters"),
        ],
    ),
    (cluster_rules.logs, {"eks_log_types": ["api", "api"]}, [("eks_log_types", "api is there twice")]),
    (
        database_rules.version_and_class,
        {"rds_replicas": [{"name": "a", "availability_zone": "us-west-2a", "instance_class": "r6g.large"}]},
        [("rds_replicas[0].instance_class", "no DB instance class")],
    ),
    (database_rules.names, {"rds_master_username": "a" * 17}, [("rds_master_username", "1 to 16")]),
    (database_rules.names, {"rds_master_username": "pg_monitor"}, [("rds_master_username", "PostgreSQL keeps")]),
    (database_rules.names, {"rds_database_name": "1app"}, [("rds_database_name", "from a letter")]),
    (database_rules.names, {"rds_database_name": "template1"}, [("rds_database_name", "RDS keeps")]),
    (
        database_rules.bounds,
        {"rds_port": 65536, "vpc_database_port": 65536, "rds_storage_max_gib": 65537, "rds_backup_retention_days": -1},
        [
            ("rds_port", "1150 to 65535"),
            ("vpc_database_port", "1150 to 65535"),
            ("rds_storage_max_gib", "20 to 65536 GiB"),
            ("rds_backup_retention_days", "0 to 35 days"),
        ],
    ),
    (database_rules.storage, {"rds_storage_max_gib": 109}, [("rds_storage_max_gib", "10 %")]),
    (
        database_rules.windows,
        {"rds_maintenance_window": "mon:00:00-wed:00:00"},
        [("rds_maintenance_window", "2880 min"), ("rds_backup_window", "overlaps")],
    ),
    (database_rules.windows, {"rds_backup_window": "24:00-24:30"}, [("rds_backup_window", "hh24:mi")]),
    (
        database_rules.replicas,
        {"rds_replicas": replicas(*((f"r{n}", "us-west-2a") for n in range(16)))},
        [("rds_replicas", "15 replicas")],
    ),
    (
        database_rules.replicas,
        {"rds_replicas": replicas(("a" * 49, "us-west-2a"), ("a-", "us-west-2a"))},
        [("rds_replicas[0].name", "has 70 characters"), ("rds_replicas[1].name", "single hyphens")],
    ),
    (
        database_rules.follower,
        {"platform_database_role": "replica", "rds_backup_retention_days": 0},
        [("rds_backup_retention_days", "it may be promoted")],
    ),
    (
        database_rules.follower,
        {"rds_replica_backup_replication_days": 36},
        [("rds_replica_backup_replication_days", "1 to 35 days")],
    ),
    (
        database_rules.parameters,
        {"rds_parameters": {"Work-Mem": 1, "a": ["x"], "b": None, "c": True}},
        [
            ("rds_parameters.Work-Mem", "no PostgreSQL parameter"),
            ("rds_parameters.a", "one value"),
            ("rds_parameters.b", "one value"),
            ("rds_parameters.c", "0 and 1"),
        ],
    ),
    (
        database_rules.encryption,
        {"rds_parameters": {"rds.force_ssl": "0"}},
        [("rds_parameters.rds.force_ssl", "in the clear")],
    ),
    (database_rules.write_lease, {"rds_write_lease_seconds": 11}, [("rds_write_lease_seconds", "one lost turn")]),
    (
        database_rules.write_lease,
        {"rds_parameters": {"shared_preload_libraries": "pg_stat_statements"}},
        [("rds_parameters.shared_preload_libraries", "does not load it")],
    ),
    (database_rules.write_lease, {"rds_database_name": "postgres"}, [("rds_database_name", "jobs run in it")]),
    (database_rules.log_exports, {"rds_log_exports": ["upgrade", "upgrade"]}, [("rds_log_exports", "twice")]),
]


def name_of(value: object) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize(("rule", "changes"), ALLOWED, ids=name_of)
def test_what_works_is_allowed(rule: Rule, changes: Changes) -> None:
    assert_said(rule(inventory(**changes)))


@pytest.mark.parametrize(("rule", "changes", "expected"), REFUSED, ids=name_of)
def test_what_cannot_work_is_refused(rule: Rule, changes: Changes, expected: list[tuple[str, str]]) -> None:
    assert_said(rule(inventory(**changes)), *expected)


@pytest.mark.parametrize(
    "area", [platform_rules, network_rules, cluster_rules, database_rules, watch_rules], ids=name_of
)
def test_every_rule_has_a_row_and_takes_any_type_in_silence(area: Any) -> None:
    covered = {row[0] for row in REFUSED}
    assert set(area.RULES) <= covered
    nothing_usable = Inventory("prod", dict.fromkeys(SITE_RULES.specs.options), SITE_RULES.specs)
    for rule in area.RULES:
        assert_said(rule(nothing_usable))


REGIONS = {"us-west-2": "aws", "us-east-1": "aws", "cn-north-1": "aws-cn"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"platform_pair": {"environment": "dr", "region": "us-west-2"}}, [("platform_pair", "lost with the one")]),
        ({"platform_pair": {"environment": "prod", "region": "us-east-1"}}, [("platform_pair", "own pair")]),
        ({"platform_pair": {"environment": "dr", "region": "us-east-9"}}, [("platform_pair.region", "no region")]),
        ({"platform_pair": {"environment": "dr", "region": "cn-north-1"}}, [("platform_pair", "aws-cn")]),
    ],
)
def test_a_pair_is_elsewhere(changes: Changes, expected: list[tuple[str, str]]) -> None:
    assert_said(platform_rules.pair(inventory(**changes), REGIONS), *expected)


def test_a_lease_guards_against_somebody() -> None:
    without = {key: value for key, value in inventory("prod").given.items() if key != "platform_pair"}
    problems = database_rules.write_lease(Inventory("prod", without, SITE_RULES.specs))
    assert_said(problems, ("rds_write_lease_seconds", "nobody can take over"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"platform_witness_region": "us-east-2"}, []),
        ({"platform_witness_region": "", "rds_write_lease_seconds": 0}, []),
        ({"platform_witness_region": ""}, [("platform_witness_region", "outside of both")]),
        ({"platform_witness_region": "us-east-9"}, [("platform_witness_region", "no region")]),
        ({"platform_witness_region": "us-west-2"}, [("platform_witness_region", "lost together")]),
        ({"platform_witness_region": "us-east-1"}, [("platform_witness_region", "lost together")]),
    ],
)
def test_a_witness_stands_in_a_third_region(changes: Changes, expected: list[tuple[str, str]]) -> None:
    assert_said(platform_rules.witness(inventory(**changes), {**REGIONS, "us-east-2": "aws"}), *expected)


def test_a_replica_has_a_pair() -> None:
    without = {key: value for key, value in inventory("dr").given.items() if key != "platform_pair"}
    problems = platform_rules.pair(Inventory("dr", without, SITE_RULES.specs), REGIONS)
    assert_said(problems, ("platform_pair", "whose it is"))


def test_an_unknown_region_is_named_with_the_nearest() -> None:
    (problem,) = platform_rules.region(inventory(platform_region="us-west2"), REGIONS)
    assert problem.mend == "Did you mean us-west-2?"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_shipped_inventories_break_no_rule(name: str) -> None:
    for area in (platform_rules, network_rules, cluster_rules, database_rules, watch_rules):
        for rule in area.RULES:
            assert_said(rule(inventory(name)))
