# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import Context, View
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity, Key, Observed, Wanted
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import (
    Plan,
    State,
    make_plan,
    removal_plan,
)
from ansible_collections.pipeops.platform.plugins.module_utils.layers._vpc_addresses import split
from ansible_collections.pipeops.platform.plugins.module_utils.layers.vpc_network import LAYER

REGION = "us-west-2"
ZONES = ["us-west-2a", "us-west-2b", "us-west-2c"]
PARAMS: dict[str, Any] = {
    "state": "present",
    "vpc_id": None,
    "cidr": "10.0.0.0/16",
    "secondary_cidrs": [],
    "zones": ZONES,
    "public_subnets": [],
    "private_subnets": [],
    "database_subnets": [],
    "nat": "zonal_single",
    "flow_logs": {"enabled": True, "traffic_type": "ALL", "retention_days": 30, "aggregation_seconds": 600},
    "gateway_endpoints": ["s3", "dynamodb"],
    "interface_endpoints": [],
    "database_port": 5432,
    "alb_ingress_cidrs": ["0.0.0.0/0"],
    "peer_database_cidrs": [],
}
READY = {"ec2_nat_gateway": "available", "ec2_vpc_endpoint": "available", "ec2_vpc": "available"}


def build(**options: Any) -> dict[Key, Wanted]:
    aws = Aws({"region": REGION, "account_id": "123456789012"})
    context = Context("network", Identity("pipeops", "prod"), aws, {"team": "platform"})
    return {item.key: item for item in LAYER.build({**PARAMS, **options}, context)}


def standing(wanted: dict[Key, Wanted]) -> State:
    """Return a layer of which everything stands as wanted."""
    types = {resource_type.kind: resource_type for resource_type in LAYER.types}
    observed = {key: Observed(*key, id=f"{key[0]}:{key[1]}") for key in wanted}
    state = State(types, wanted, observed)
    for key, item in wanted.items():
        resolved = state.resolved(item)
        known = {name: value for name, value in resolved.attributes.items() if value is not None}
        observed[key] = replace(
            observed[key],
            attributes={**known, "arn": f"arn:{key[1]}"},
            tags=dict(item.tags or {}),
            status=READY.get(key[0], ""),
        )
    return state


def plan_for(state: State, wanted: dict[Key, Wanted], **options: Any) -> Plan:
    return make_plan(State(state.types, wanted, dict(state.observed)), **options)


def identities(plan: Plan) -> list[str]:
    return [action.identity for action in plan.actions]


def entries(wanted: dict[Key, Wanted], tier: str) -> list[dict[str, Any]]:
    return list(wanted["ec2_network_acl", tier].attributes["entries"])


def allows(rows: list[dict[str, Any]], direction: str, protocol: str, port: int, address: str) -> bool:
    """Decide as a network ACL does: the first entry that matches, else no."""
    for row in sorted(rows, key=lambda row: row["rule"]):
        first, last = (0, 65535) if row["ports"] == "all" else map(int, row["ports"].split("-"))
        fits = row["protocol"] in ("all", protocol) and first <= port <= last
        if row["direction"] == direction and fits and IPv4Address(address) in IPv4Network(row["cidr"]):
            return bool(row["action"] == "allow")
    return False


def test_split_of_the_reference_network() -> None:
    assert split("10.0.0.0/16", 3) == {
        "private": ("10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18"),
        "public": ("10.0.192.0/22", "10.0.196.0/22", "10.0.200.0/22"),
        "database": ("10.0.208.0/22", "10.0.212.0/22", "10.0.216.0/22"),
    }


@pytest.mark.parametrize("zones", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("cidr", ["10.4.0.0/16", "10.4.128.0/17", "10.4.64.0/18", "10.4.32.0/19", "172.16.16.0/20"])
def test_split_fits_and_never_overlaps(cidr: str, zones: int) -> None:
    parts = split(cidr, zones)
    assert {tier: len(cidrs) for tier, cidrs in parts.items()} == dict.fromkeys(parts, zones)
    networks = [IPv4Network(cidr) for cidrs in parts.values() for cidr in cidrs]
    assert all(network.subnet_of(IPv4Network(cidr)) and network.prefixlen <= 28 for network in networks)
    assert not any(one.overlaps(other) for one, other in combinations(networks, 2))


def test_a_third_zone_moves_no_subnet() -> None:
    two, three = split("10.0.0.0/16", 2), split("10.0.0.0/16", 3)
    assert all(three[tier][:2] == two[tier] for tier in two)


def test_nothing_stands_so_everything_is_created_in_order() -> None:
    wanted = build()
    plan = make_plan(State({t.kind: t for t in LAYER.types}, wanted))
    assert {action.verb for action in plan.actions} == {"create"}
    assert len(plan.actions) == len(wanted) == 29
    place = {action.key: n for n, action in enumerate(plan.actions)}
    for key, item in wanted.items():
        assert all(place[need] < place[key] for need in item.needs)


def test_everything_stands_so_nothing_is_done() -> None:
    wanted = build(interface_endpoints=["sts"])
    plan = make_plan(standing(wanted))
    assert plan == Plan()


def test_without_waiting_only_the_route_to_the_gateway_is_left_for_later() -> None:
    plan = make_plan(State({t.kind: t for t in LAYER.types}, build()), wait=False)
    assert [action.identity for action in plan.deferred] == ["create/ec2_route/private-0.0.0.0/0"]
    assert len(plan.actions) == 28


def test_the_database_tier_has_no_route_to_the_internet() -> None:
    routes = {item.name: item for key, item in build().items() if key[0] == "ec2_route"}
    assert set(routes) == {"public-0.0.0.0/0", "private-0.0.0.0/0"}
    assert set(build(nat="none")) & {("ec2_route", "private-0.0.0.0/0"), ("ec2_route", "database-0.0.0.0/0")} == set()


def test_a_rogue_default_route_of_the_database_tier_is_removed() -> None:
    state = standing(build())
    rogue = Observed("ec2_route", "database-0.0.0.0/0", "rtb 0.0.0.0/0", {"target": "igw-1"})
    state.observed[rogue.key] = rogue
    assert identities(make_plan(state)) == ["delete/ec2_route/database-0.0.0.0/0"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "zonal_single",
            "regional",
            [
                "create/ec2_nat_gateway/regional",
                "update/ec2_route/private-0.0.0.0/0/target",
                "delete/ec2_nat_gateway/zonal-us-west-2a",
                "delete/ec2_elastic_ip/nat-us-west-2a",
            ],
        ),
        (
            "regional",
            "zonal_single",
            [
                "create/ec2_elastic_ip/nat-us-west-2a",
                "create/ec2_nat_gateway/zonal-us-west-2a",
                "update/ec2_route/private-0.0.0.0/0/target",
                "delete/ec2_nat_gateway/regional",
            ],
        ),
        (
            "zonal_single",
            "none",
            [
                "delete/ec2_route/private-0.0.0.0/0",
                "delete/ec2_nat_gateway/zonal-us-west-2a",
                "delete/ec2_elastic_ip/nat-us-west-2a",
            ],
        ),
    ],
)
def test_another_nat_mode_comes_before_the_old_one_goes(before: str, after: str, expected: list[str]) -> None:
    assert identities(plan_for(standing(build(nat=before)), build(nat=after))) == expected


def test_without_waiting_the_old_gateway_stays_until_the_route_is_moved() -> None:
    plan = plan_for(standing(build()), build(nat="regional"), wait=False)
    assert identities(plan) == ["create/ec2_nat_gateway/regional"]
    assert [action.identity for action in plan.deferred] == [
        "update/ec2_route/private-0.0.0.0/0/target",
        "delete/ec2_nat_gateway/zonal-us-west-2a",
        "delete/ec2_elastic_ip/nat-us-west-2a",
    ]


def test_removal_takes_leftovers_of_another_nat_mode_first_gateway_before_address() -> None:
    state = standing(build())
    plan = removal_plan(State(state.types, build(nat="regional"), state.observed))
    order = identities(plan)
    assert order.index("delete/ec2_nat_gateway/zonal-us-west-2a") < order.index("delete/ec2_elastic_ip/nat-us-west-2a")
    assert order.index("delete/ec2_route/private-0.0.0.0/0") < order.index("delete/ec2_route_table/private")


def test_removal_goes_backwards() -> None:
    order = identities(removal_plan(standing(build(interface_endpoints=["sts"]))))
    before = [
        ("ec2_nat_gateway/zonal-us-west-2a", "ec2_elastic_ip/nat-us-west-2a"),
        ("ec2_nat_gateway/zonal-us-west-2a", "ec2_internet_gateway/internet"),
        ("ec2_vpc_endpoint/sts", "ec2_security_group/endpoints"),
        ("ec2_security_group/database", "ec2_security_group/nodes"),
        ("ec2_security_group/nodes", "ec2_security_group/alb"),
        ("ec2_network_acl/private", "ec2_subnet/private-us-west-2a"),
        ("ec2_flow_log/vpc", "iam_role/vpc-flow-logs"),
        ("ec2_subnet/private-us-west-2a", "ec2_vpc/main"),
    ]
    place = {identity.removeprefix("delete/"): n for n, identity in enumerate(order)}
    assert [pair for pair in before if not place[pair[0]] < place[pair[1]]] == []


def test_a_further_range_changes_the_vpc_and_what_names_its_ranges() -> None:
    changed = identities(plan_for(standing(build()), build(secondary_cidrs=["100.64.0.0/16"])))
    assert changed == [
        "update/ec2_vpc/main/secondary_cidrs",
        "update/ec2_security_group/alb/rules",
        "update/ec2_network_acl/private/entries",
        "update/ec2_network_acl/public/entries",
    ]


def test_a_third_zone_adds_its_subnets_and_replaces_nothing() -> None:
    plan = plan_for(standing(build(zones=ZONES[:2])), build())
    created = [action.identity for action in plan.actions if action.verb == "create"]
    assert created == [f"create/ec2_subnet/{tier}-us-west-2c" for tier in ("database", "private", "public")]
    assert {action.verb for action in plan.actions} == {"create", "update"}


def test_a_dropped_zone_leaves_its_subnets_alone() -> None:
    plan = plan_for(standing(build()), build(zones=ZONES[:2]))
    assert [item.name for item in plan.unmanaged] == [f"{t}-us-west-2c" for t in ("database", "private", "public")]
    assert "delete" not in {action.verb for action in plan.actions}


def test_endpoints_that_are_not_wanted_go_with_their_group() -> None:
    plan = plan_for(standing(build(interface_endpoints=["sts"])), build())
    assert identities(plan) == ["delete/ec2_vpc_endpoint/sts", "delete/ec2_security_group/endpoints"]


def test_a_flow_log_cannot_be_changed_so_it_is_made_anew() -> None:
    logs = {**PARAMS["flow_logs"], "aggregation_seconds": 60}
    plan = plan_for(standing(build()), build(flow_logs=logs))
    assert identities(plan) == ["replace/ec2_flow_log/vpc"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"cidr": "10.9.0.0/16"}, ["cidr of VPC 'main'", "'10.0.0.0/16'", "'10.9.0.0/16'", "secondary_cidrs"]),
        ({"zones": [ZONES[1], ZONES[0], ZONES[2]]}, ["cidr of subnet 'public-us-west-2b'", "10.0.196.0/22"]),
    ],
)
def test_what_would_replace_the_vpc_or_a_subnet_is_refused(options: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(PlanRefused) as refused:
        plan_for(standing(build()), build(**options))
    assert [text for text in named if text not in str(refused.value)] == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"zones": ["us-west-2a"]}, ["zones", "1 entries", "2 to 6"]),
        ({"zones": ["us-west-2a", "us-west-2a"]}, ["zones", "us-west-2a twice"]),
        ({"zones": ["us-west-2a", "us-east-1b"]}, ["zones", "'us-east-1b'", "us-west-2"]),
        ({"cidr": "10.0.1.0/16"}, ["cidr", "'10.0.1.0/16'", "host bits"]),
        ({"cidr": "10.0.0.0/8"}, ["cidr", "'10.0.0.0/8'", "/16 to /28"]),
        ({"cidr": "fd00::/56"}, ["cidr", "'fd00::/56'", "IPv6"]),
        ({"cidr": "10.0.0.0/21"}, ["cidr", "'10.0.0.0/21'", "public_subnets", "/16 to /20"]),
        ({"secondary_cidrs": ["10.0.128.0/20"]}, ["secondary_cidrs", "10.0.128.0/20", "overlap"]),
        ({"database_subnets": ["10.0.208.0/22"]}, ["database_subnets", "1 ranges for 3 zones"]),
        ({"public_subnets": ["10.0.192.0/22", "10.1.0.0/22", "10.0.200.0/22"]}, ["public_subnets", "10.1.0.0/22"]),
        ({"public_subnets": ["10.0.192.0/22", "10.0.0.0/22", "10.0.200.0/22"]}, ["10.0.0.0/22", "overlap"]),
        ({"private_subnets": ["10.0.0.0/29", "10.0.1.0/24", "10.0.2.0/24"]}, ["private_subnets", "'10.0.0.0/29'"]),
        ({"database_port": 40000}, ["database_port", "40000", "32767"]),
        ({"database_port": 443}, ["database_port", "443", "1150"]),
        ({"alb_ingress_cidrs": ["anywhere"]}, ["alb_ingress_cidrs", "'anywhere'"]),
        ({"peer_database_cidrs": ["10.1.0.0/33"]}, ["peer_database_cidrs", "'10.1.0.0/33'"]),
        ({"peer_database_cidrs": [f"10.1.{n}.0/24" for n in range(8)]}, ["peer_database_cidrs", "21 entries", "19"]),
        ({"alb_ingress_cidrs": [f"192.0.2.{n}/32" for n in range(61)]}, ["alb_ingress_cidrs", "61 rules"]),
        ({"interface_endpoints": ["s3"]}, ["interface_endpoints", "'s3'", "gateway_endpoints"]),
        (
            {"flow_logs": {**PARAMS["flow_logs"], "retention_days": 31}},
            ["flow_logs.retention_days", "31", "30", "60"],
        ),
    ],
)
def test_options_that_cannot_be_are_refused_by_name_and_value(options: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(PlanRefused) as refused:
        build(**options)
    assert [text for text in named if text not in str(refused.value)] == []


def test_a_placeholder_passes_where_another_environment_gives_the_value() -> None:
    rules = build(peer_database_cidrs=["pending:ec2_vpc.cidr:main"])["ec2_security_group", "database"]
    assert "pending:ec2_vpc.cidr:main" in [rule["peer"] for rule in rules.attributes["rules"]]


@pytest.mark.parametrize(
    ("tier", "direction", "protocol", "port", "address", "expected"),
    [
        ("public", "ingress", "tcp", 443, "198.51.100.7", True),
        ("public", "ingress", "tcp", 22, "198.51.100.7", False),
        ("public", "ingress", "udp", 50000, "198.51.100.7", True),
        ("public", "ingress", "tcp", 22, "10.0.64.9", True),
        ("private", "ingress", "tcp", 443, "198.51.100.7", False),
        ("private", "ingress", "tcp", 50000, "198.51.100.7", True),
        ("private", "egress", "tcp", 443, "198.51.100.7", True),
        ("database", "ingress", "tcp", 5432, "10.0.64.9", True),
        ("database", "ingress", "tcp", 5432, "10.0.192.9", False),
        ("database", "ingress", "tcp", 5432, "198.51.100.7", False),
        ("database", "ingress", "tcp", 5432, "10.0.212.9", True),
        ("database", "ingress", "tcp", 22, "10.0.64.9", False),
        ("database", "ingress", "tcp", 5432, "10.1.0.9", True),
        ("database", "ingress", "tcp", 40000, "10.1.0.9", True),
        ("database", "egress", "tcp", 5432, "10.1.0.9", True),
        ("database", "egress", "tcp", 2000, "10.0.64.9", True),
        ("database", "egress", "tcp", 443, "52.92.1.1", True),
        ("database", "egress", "tcp", 80, "198.51.100.7", False),
        ("database", "egress", "tcp", 50000, "198.51.100.7", False),
    ],
)
def test_acls_let_through(tier: str, direction: str, protocol: str, port: int, address: str, expected: bool) -> None:
    rows = entries(build(peer_database_cidrs=["10.1.0.0/16"]), tier)
    assert allows(rows, direction, protocol, port, address) is expected


def test_without_gateway_endpoints_the_database_tier_speaks_to_nobody_outside() -> None:
    rows = entries(build(gateway_endpoints=[]), "database")
    assert not allows(rows, "egress", "tcp", 443, "52.92.1.1")
    assert not allows(rows, "ingress", "tcp", 40000, "52.92.1.1")
    assert allows(rows, "egress", "tcp", 443, "10.0.64.9")


def test_names_tags_and_outputs() -> None:
    wanted = build()
    tags = wanted["ec2_subnet", "private-us-west-2a"].tags or {}
    assert tags == {
        "Name": "pipeops-prod-private-us-west-2a",
        "kubernetes.io/role/internal-elb": "1",
        "pipeops:platform": "pipeops",
        "pipeops:environment": "prod",
        "pipeops:component": "network/private-us-west-2a",
        "pipeops:managed-by": "pipeops.platform",
        "team": "platform",
    }
    outputs = LAYER.outputs(View(standing(wanted)), PARAMS)
    assert outputs["subnet_ids"]["database"] == [f"ec2_subnet:database-{zone}" for zone in ZONES]
    assert outputs["security_group_ids"]["endpoints"] is None
    assert outputs["flow_log_group"] == "/pipeops/prod/vpc-flow-logs"
    assert outputs["nat_gateway_id"] == "ec2_nat_gateway:zonal-us-west-2a"


def test_outputs_of_a_dry_run_are_placeholders() -> None:
    wanted = build(nat="regional")
    outputs = LAYER.outputs(View(State({t.kind: t for t in LAYER.types}, wanted)), PARAMS)
    assert outputs["vpc_id"] == "pending:ec2_vpc.id:main"
    assert outputs["nat_public_ips"] == ["pending:ec2_nat_gateway.public_ips:regional"]
    assert LAYER.outputs(View(State({}, build(nat="none"))), PARAMS)["nat_public_ips"] == []
